//! A closed network: a proxy that must be asked, an authority of the house's own.
//!
//! The variables are a process's, so each scenario is a process: this test program, with one test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tenantgate::github::{Client, Patience};
use tenantgate::settings::{Actions, ProcessEnvironment};

use super::fake::{Fake, Permissions, sha};
use super::{HASTY, run, said};

/// How long one direction waits before it is the other's turn.
const TURN: Duration = Duration::from_millis(20);

const HOST: &str = "github.internal.test";

/// An Enterprise Server behind TLS, and a proxy that alone knows the way to it.
struct Network {
    github: Fake,
    token: String,
    proxy: SocketAddr,
    /// What the proxy was asked, each up to the empty line.
    heads: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Network {
    fn new() -> Self {
        let github = Fake::enterprise();
        let token = github.token(Permissions::job());
        github.pull_request(7, &sha("head"));
        let folder = tempfile::tempdir().unwrap();
        let tls = serve_tls(github.address(), folder.path());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let proxy = serve_proxy(tls, Arc::clone(&heads));
        Self {
            github,
            token,
            proxy,
            heads,
            folder,
        }
    }

    /// What the child says with these variables.
    fn ask(&self, variables: &[(&str, &str)]) -> String {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "github::proxy::child", "--ignored", "--nocapture"])
            .env_clear()
            .env("GITHUB_API_URL", format!("https://{HOST}/api/v3"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_TOKEN", &self.token)
            .env("SSL_CERT_FILE", self.folder.path().join("authority.pem"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(
            !text.contains(&self.token) && !text.contains("hunter22"),
            "{text}"
        );
        let said = text
            .split_once("<<<")
            .and_then(|(_, rest)| rest.split_once(">>>"));
        said.unwrap_or_else(|| panic!("{text}")).0.to_owned()
    }

    fn url(&self, login: &str) -> String {
        format!("http://{login}{}", self.proxy)
    }
}

#[test]
#[ignore = "a part of the others, started by them with variables of its own"]
fn child() {
    let actions = Actions::from_environment(&ProcessEnvironment::read()).unwrap();
    // TLS takes its time on a busy machine.
    let patience = Patience {
        request: Duration::from_secs(20),
        waiting: Duration::from_secs(20),
        ..HASTY
    };
    let asked = Client::with_patience(&actions, patience)
        .and_then(|client| run(client.get("/repos/acme/shop/pulls/7")));
    let text = asked.map_or_else(
        |error| said(&error),
        |pull| format!("pull request {}", pull["number"]),
    );
    std::io::stdout()
        .write_all(format!("<<<{text}>>>").as_bytes())
        .unwrap();
}

#[test]
fn the_way_leads_through_the_proxy() {
    let network = Network::new();
    let login = network.url("gate:hunter22@");
    for name in ["HTTPS_PROXY", "all_proxy"] {
        assert_eq!(network.ask(&[(name, &login)]), "pull request 7");
    }
    for head in network.heads.lock().unwrap().iter() {
        assert!(
            head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")),
            "{head}"
        );
        assert!(!head.contains(&network.token), "{head}");
    }
    let asked = network.github.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].path, "/repos/acme/shop/pulls/7");
}

#[test]
fn a_proxy_may_say_no() {
    let network = Network::new();
    let text = network.ask(&[("HTTPS_PROXY", &network.url("gate:wrong@"))]);
    assert!(network.github.requests().is_empty());
    insta::assert_snapshot!(text, @r#"
    GitHub was not reached at github.internal.test (GET /repos/acme/shop/pulls/7): tunnel error: proxy authorization required
      the proxy of HTTPS_PROXY or ALL_PROXY did not let it through: check its URL, user and password, or name GitHub's host in NO_PROXY
    "#);
}

#[test]
fn a_host_can_be_excepted() {
    let network = Network::new();
    let login = network.url("gate:hunter22@");
    for except in ["internal.test", "*", "example.com, .internal.test"] {
        let text = network.ask(&[("HTTPS_PROXY", &login), ("NO_PROXY", except)]);
        assert!(text.starts_with("GitHub"), "{text}");
    }
    assert!(network.heads.lock().unwrap().is_empty());
    let text = network.ask(&[
        ("HTTPS_PROXY", &login),
        ("no_proxy", "notinternal.test, 10.0.0.0/8"),
    ]);
    assert_eq!(text, "pull request 7");
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let network = Network::new();
    let other = tempfile::tempdir().unwrap();
    serve_tls(network.github.address(), other.path());
    let file = other.path().join("authority.pem");
    let login = network.url("gate:hunter22@");
    let text = network.ask(&[("HTTPS_PROXY", &login), ("SSL_CERT_FILE", file.to_str().unwrap())]);
    assert!(
        network.github.requests().is_empty(),
        "the token went to a stranger"
    );
    insta::assert_snapshot!(text, @r#"
    GitHub was not reached at github.internal.test (GET /repos/acme/shop/pulls/7): invalid peer certificate: UnknownIssuer
      the host's certificate must be signed by an authority in the system's store; SSL_CERT_FILE names another file of authorities
    "#);
}

#[test]
fn this_machine_needs_no_proxy() {
    let network = Network::new();
    let github = Fake::start();
    let token = github.token(Permissions::job());
    github.pull_request(7, &sha("head"));
    let login = network.url("gate:hunter22@");
    let text = network.ask(&[
        ("HTTPS_PROXY", &login),
        ("HTTP_PROXY", &login),
        ("GITHUB_API_URL", &github.url()),
        ("GITHUB_TOKEN", &token),
    ]);
    assert_eq!(text, "pull request 7");
    assert!(network.heads.lock().unwrap().is_empty());
}

/// TLS in front of a plain server, with a certificate for [`HOST`]; its authority is put in the folder.
fn serve_tls(plain: SocketAddr, folder: &Path) -> SocketAddr {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let name = folder.to_str().unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, name);
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertifiedIssuer::self_signed(authority, authority_key).unwrap();
    std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &authority).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    serve(move |stream| {
        stream.set_read_timeout(Some(TURN)).unwrap();
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let upstream = TcpStream::connect(plain).unwrap();
        shuttle(rustls::StreamOwned::new(connection, stream), upstream);
    })
}

/// Asks for `gate:hunter22`, and leads everybody to the one target whatever they named.
fn serve_proxy(target: SocketAddr, heads: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    serve(move |mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).unwrap();
        let login = head
            .to_ascii_lowercase()
            .contains("proxy-authorization: basic z2f0ztpodw50zxiymg==");
        heads.lock().unwrap().push(head);
        if !login {
            drop(stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
            return;
        }
        stream.set_read_timeout(Some(TURN)).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .unwrap();
        shuttle(stream, TcpStream::connect(target).unwrap());
    })
}

fn serve(work: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let work = Arc::new(work);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (work, stream) = (Arc::clone(&work), stream.unwrap());
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || work(stream));
        }
    });
    address
}

/// Carries bytes both ways until one side ends.
fn shuttle(mut client: impl Read + Write, mut server: TcpStream) {
    server.set_read_timeout(Some(TURN)).unwrap();
    while carry(&mut client, &mut server) && carry(&mut server, &mut client) {}
}

/// What is there now; false at the end.
fn carry(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 16384];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(length) => to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_ok(),
        Err(error) => {
            matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )
        }
    }
}
