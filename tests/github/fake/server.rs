//! Connections and threads.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::faults::{self, Fault};
use super::http::{self, Answer, Request};
use super::routes;
use super::state::State;

pub struct Shared {
    pub prefix: &'static str,
    pub address: SocketAddr,
    pub state: Mutex<State>,
    pub faults: Mutex<Vec<Fault>>,
    pub requests: Mutex<Vec<Request>>,
    pub violations: Mutex<Vec<String>>,
    pub stop: AtomicBool,
}

pub fn start(prefix: &'static str) -> (Arc<Shared>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new(Shared {
        prefix,
        address,
        state: Mutex::new(State::new()),
        faults: Mutex::new(Vec::new()),
        requests: Mutex::new(Vec::new()),
        violations: Mutex::new(Vec::new()),
        stop: AtomicBool::new(false),
    });
    let server = Arc::clone(&shared);
    thread::spawn(move || {
        for stream in listener.incoming() {
            if server.stop.load(Ordering::Relaxed) {
                break;
            }
            let server = Arc::clone(&server);
            let Ok(stream) = stream else { continue };
            thread::spawn(move || server.serve(stream));
        }
    });
    (shared, address)
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        drop(stream.set_nodelay(true));
        let mut rest = Vec::new();
        while let Some(request) = http::read_request(&mut stream, &mut rest, &self.stop) {
            if !self.answer(request, &mut stream) {
                return;
            }
        }
    }

    /// False: the connection is over.
    fn answer(&self, mut request: Request, stream: &mut TcpStream) -> bool {
        // GraphQL is beside the REST API's prefix, not below it.
        let graphql = format!("{}/graphql", self.prefix.trim_end_matches("/v3"));
        if request.path == graphql {
            request.path = format!("{}/graphql", self.prefix);
        } else if request.path.ends_with("/graphql") {
            self.violation(format!("{} is not GraphQL's address", request.path));
        }
        match request.path.strip_prefix(self.prefix) {
            Some(path) => request.path = path.to_owned(),
            None => {
                self.violation(format!("{} is not below the base URL", request.path));
                return Answer::text(404, "text/html", "<p>Not here</p>")
                    .write(stream)
                    .is_ok();
            }
        }
        self.requests.lock().unwrap().push(request.clone());
        let fault = self.next_fault(&request);
        let works = fault.as_ref().is_none_or(|fault| fault.works);
        let answer = works.then(|| self.work(&request));
        match fault {
            Some(fault) => faults::send(&fault.kind, answer, stream, &self.stop),
            None => answer.is_some_and(|answer| answer.write(stream).is_ok()),
        }
    }

    fn work(&self, request: &Request) -> Answer {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, violations) = routes::answer(&mut state, request, &self.address, self.prefix);
        drop(state);
        violations
            .into_iter()
            .for_each(|violation| self.violation(violation));
        answer
    }

    fn violation(&self, violation: String) {
        self.violations.lock().unwrap().push(violation);
    }

    fn next_fault(&self, request: &Request) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let position = faults.iter().position(|fault| fault.matches(request))?;
        faults[position].times -= 1;
        let fault = faults[position].clone();
        if fault.times == 0 {
            faults.remove(position);
        }
        Some(fault)
    }
}
