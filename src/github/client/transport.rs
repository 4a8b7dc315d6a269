//! One request there, one answer back: TLS, proxies, limits of time and size.

use std::error::Error;
use std::time::Duration;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{self};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioExecutor;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tokio::sync::OnceCell;

use crate::domain::Secret;
use crate::settings::Proxy;

use super::address::Address;
use super::answer::Answer;
use super::{GithubError, Request};

/// A page of 100 comments, each as long as it may be and of the longest characters, is 26 MB.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(10);

pub(super) struct Transport {
    /// Made at the first request: it reads the system's certificates, and needs tokio running.
    octocrab: OnceCell<Octocrab>,
    proxy: Option<Intercept>,
    token: Secret,
    authorization: HeaderValue,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// Nothing was sent.
    Unreached(String),
    /// Perhaps it arrived.
    Lost(String),
}

impl Transport {
    pub(super) fn new(address: &Address, token: &Secret, proxy: &Proxy) -> Result<Self, GithubError> {
        let token = Secret::new(token.expose().trim());
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut authorization = bearer.map_err(|_| GithubError::Misconfigured {
            message: "the token for GitHub has characters that no token has".to_owned(),
        })?;
        authorization.set_sensitive(true);
        Ok(Self {
            octocrab: OnceCell::new(),
            proxy: choose_proxy(address, proxy)?,
            token,
            authorization,
        })
    }

    /// Text of others, without the token.
    pub(super) fn redact(&self, text: &str) -> String {
        text.replace(self.token.expose(), "***")
    }

    pub(super) async fn send(
        &self,
        request: Request<'_>,
        url: &str,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let octocrab = self.octocrab.get_or_try_init(|| async { self.build() }).await?;
        let request = self.request(request, url)?;
        let exchange = async {
            let answer = octocrab.execute(request).await.map_err(|error| failure(&error))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await;
            let body = body.map_err(|error| broken_off(error.as_ref()))?.to_bytes();
            Ok(Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.to_vec(),
            })
        };
        let late = || Failure::Lost(format!("no whole answer within {} s", limit.as_secs_f32()));
        tokio::time::timeout(limit, exchange).await.map_err(|_| late())?
    }

    fn request(&self, request: Request<'_>, url: &str) -> Result<http::Request<OctoBody>, Failure> {
        let builder = http::Request::builder()
            .method(request.method)
            .uri(url)
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28")
            .header(USER_AGENT, concat!("tenantgate/", env!("CARGO_PKG_VERSION")))
            .header(AUTHORIZATION, self.authorization.clone());
        let built = match request.body {
            Some(body) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(OctoBody::from(body.to_string())),
            None if request.method == "GET" => builder.body(OctoBody::empty()),
            None => builder.header(CONTENT_LENGTH, "0").body(OctoBody::empty()),
        };
        built.map_err(|error| Failure::Unreached(format!("no request can be made of it: {error}")))
    }

    /// The roots are the system's, as for the databases: an internal authority belongs there.
    fn build(&self) -> Result<Octocrab, Failure> {
        let provider = rustls::crypto::ring::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::Unreached(error.to_string()))?
            .with_native_roots()
            .map_err(|error| Failure::Unreached(format!("the system's certificates: {error}")))?
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let direct = HttpsConnector::from((tcp, tls.clone()));
        let Some(proxy) = &self.proxy else {
            return Ok(octocrab(direct));
        };
        // The proxy may itself be asked over TLS.
        let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        Ok(octocrab(HttpsConnector::from((tunnel, tls))))
    }
}

/// octocrab as it is without features, over this connection.
fn octocrab<C>(connector: C) -> Octocrab
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = legacy::Client::builder(TokioExecutor::new()).build::<_, OctoBody>(connector);
    let builder = OctocrabBuilder::new_empty().with_service(client);
    let Ok(octocrab) = builder.with_auth(AuthState::None).build();
    octocrab
}

/// This machine is never asked through a proxy.
fn choose_proxy(address: &Address, proxy: &Proxy) -> Result<Option<Intercept>, GithubError> {
    let Some((variable, url)) = &proxy.url else {
        return Ok(None);
    };
    if address.is_this_machine() {
        return Ok(None);
    }
    let wrong = |why: &str| GithubError::Misconfigured {
        message: format!("{variable} {why}"),
    };
    let target = address.join("/").parse::<http::Uri>();
    let target = target.map_err(|error| wrong(&format!("cannot be applied: {error}")))?;
    let always = Matcher::builder().https(url.expose()).build();
    let Some(intercept) = always.intercept(&target) else {
        return Err(wrong("is not the URL of a proxy: http://host:port is"));
    };
    let scheme = intercept.uri().scheme_str().unwrap_or_default();
    if !scheme.starts_with("http") {
        return Err(wrong(&format!(
            "names a {scheme} proxy; only http:// and https:// work"
        )));
    }
    let except = proxy.except.as_deref().unwrap_or_default();
    let matcher = Matcher::builder().https(url.expose()).no(except).build();
    Ok(matcher.intercept(&target))
}

fn failure(error: &(dyn Error + 'static)) -> Failure {
    let known = chain(error).find_map(|error| error.downcast_ref::<legacy::Error>());
    match known {
        Some(error) if error.is_connect() => Failure::Unreached(causes(error)),
        Some(error) => Failure::Lost(causes(error)),
        None => Failure::Lost(error.to_string()),
    }
}

fn broken_off(error: &(dyn Error + 'static)) -> Failure {
    if error.is::<LengthLimitError>() {
        return Failure::Lost(format!("the answer is longer than {LARGEST_ANSWER} bytes"));
    }
    let cause = chain(error).last().map(ToString::to_string);
    Failure::Lost(format!("the answer broke off: {}", cause.unwrap_or_default()))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// What lies beneath, each said once.
fn causes(error: &legacy::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in chain(error).skip(1) {
        let text = cause.to_string();
        if !said.iter().any(|known| known.contains(&text)) {
            said.push(text);
        }
    }
    if said.is_empty() {
        error.to_string()
    } else {
        said.join(": ")
    }
}
