//! The network between the program and a server, which can be cut: at a byte, at once, or without a word.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use url::Url;

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer = 0,
    ToClient = 1,
}

/// A proxy on a port of its own in front of a server. Dropped, it takes no connections any more.
pub struct Cutter {
    url: String,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    ended: AtomicBool,
    /// Bytes that went each way.
    passed: [AtomicUsize; 2],
    /// Where the connection that carries this byte is cut, once.
    cut_at: Mutex<Option<(Way, usize)>>,
    /// Connections below this number are dead.
    severed_below: AtomicUsize,
    /// Connections below this number carry nothing, and nobody is told.
    silent_below: AtomicUsize,
    connections: AtomicUsize,
    cuts: AtomicUsize,
}

impl Cutter {
    /// In front of the server of a URL.
    pub fn before(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        let wire = Arc::new(Wire::default());
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                // A server that is down is a connection that ends at once.
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) {
                    accepting.join(client, server);
                }
            }
        });
        Self {
            url: url.into(),
            wire,
        }
    }

    /// The same URL, through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many bytes went this way.
    pub fn passed(&self, way: Way) -> usize {
        self.wire.passed[way as usize].load(Ordering::SeqCst)
    }

    /// Cuts the connection that carries the byte of this number, counted from now.
    pub fn cut_after(&self, way: Way, bytes: usize) {
        *self.wire.cut_at.lock().unwrap() = Some((way, self.passed(way) + bytes));
    }

    /// Cuts every connection there is; new ones are let through.
    pub fn sever(&self) {
        let open = self.wire.connections.load(Ordering::SeqCst);
        self.wire.severed_below.store(open, Ordering::SeqCst);
        self.wire.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on nothing passes on the connections there are, and neither side is told, as when a
    /// machine is unplugged; new ones are let through.
    pub fn silence(&self) {
        let open = self.wire.connections.load(Ordering::SeqCst);
        self.wire.silent_below.store(open, Ordering::SeqCst);
        self.wire.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// What was silenced goes on as if nothing had been.
    pub fn unsilence(&self) {
        self.wire.silent_below.store(0, Ordering::SeqCst);
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.wire.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.wire.ended.store(true, Ordering::SeqCst);
        self.wire.severed_below.store(usize::MAX, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let url = Url::parse(&self.url).unwrap();
        drop(TcpStream::connect(("127.0.0.1", url.port().unwrap())));
    }
}

impl Wire {
    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        for (way, from, to) in [
            (Way::ToServer, &client, &server),
            (Way::ToClient, &server, &client),
        ] {
            let wire = Arc::clone(self);
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            drop((from.set_nodelay(true), to.set_nodelay(true)));
            from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            thread::spawn(move || wire.carry(number, way, &mut from, &mut to));
        }
    }

    fn carry(&self, number: usize, way: Way, from: &mut TcpStream, to: &mut TcpStream) {
        let mut buffer = [0; 4096];
        loop {
            if number < self.severed_below.load(Ordering::SeqCst) {
                return cut(from, to);
            }
            if number < self.silent_below.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            match from.read(&mut buffer) {
                Ok(0) => {
                    drop(to.shutdown(Shutdown::Write));
                    return;
                }
                Ok(length) => {
                    let (length, last) = self.until_the_cut(way, length);
                    if to.write_all(&buffer[..length]).is_err() || last {
                        return cut(from, to);
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return cut(from, to),
            }
        }
    }

    /// How much of these bytes still passes, and whether it was the last.
    fn until_the_cut(&self, way: Way, length: usize) -> (usize, bool) {
        let before = self.passed[way as usize].fetch_add(length, Ordering::SeqCst);
        let mut cut_at = self.cut_at.lock().unwrap();
        match *cut_at {
            Some((cut_way, at)) if cut_way == way && before + length >= at => {
                *cut_at = None;
                self.cuts.fetch_add(1, Ordering::SeqCst);
                (at.saturating_sub(before).min(length), true)
            }
            _ => (length, false),
        }
    }
}

/// With a reset, not with a farewell.
fn cut(from: &TcpStream, to: &TcpStream) {
    for stream in [from, to] {
        drop(SockRef::from(stream).set_linger(Some(Duration::ZERO)));
        drop(stream.shutdown(Shutdown::Both));
    }
}
