//! What the program says to a server, word for word: a proxy that reads the protocol along.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use url::Url;

/// A proxy on a port of its own in front of a server. What is said through it must not be encrypted.
pub struct Wire {
    url: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    pub fn before(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let postgres = url.scheme().starts_with("postgres");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        url.set_query(Some(if postgres {
            "sslmode=disable"
        } else {
            "ssl-mode=DISABLED"
        }));
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else {
                    continue;
                };
                let heard = Arc::clone(&heard);
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(back.0, back.1, |_| {}));
                let mut talk = Talk::new(postgres);
                thread::spawn(move || {
                    pass(client, server, |bytes| {
                        heard.lock().unwrap().extend(talk.hear(bytes))
                    });
                });
            }
        });
        Self {
            url: url.into(),
            said,
        }
    }

    /// The same URL, through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every text of statements that was sent, in order.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut hear: impl FnMut(&[u8])) {
    let mut buffer = [0; 16384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}

/// One client's side of a connection.
struct Talk {
    postgres: bool,
    /// PostgreSQL: the first message has no type.
    opened: bool,
    pending: Vec<u8>,
}

impl Talk {
    fn new(postgres: bool) -> Self {
        Self {
            postgres,
            opened: false,
            pending: Vec::new(),
        }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<String> {
        self.pending.extend_from_slice(bytes);
        let mut texts = Vec::new();
        while let Some((length, text)) = if self.postgres {
            self.postgres()
        } else {
            self.mysql()
        } {
            self.pending.drain(..length);
            texts.extend(text);
        }
        texts
    }

    /// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
    fn postgres(&mut self) -> Option<(usize, Option<String>)> {
        let begin = usize::from(self.opened);
        let head = self.pending.get(begin..begin + 4)?;
        let length = begin + u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let message = self.pending.get(..length)?;
        let text = match message[0] {
            // Query
            b'Q' if self.opened => Some(&message[5..length - 1]),
            // Parse: a name before the text
            b'P' if self.opened => message[5..].split(|it| *it == 0).nth(1),
            _ => None,
        };
        let text = text.map(|it| String::from_utf8_lossy(it).into_owned());
        self.opened = true;
        Some((length, text))
    }

    /// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>
    fn mysql(&mut self) -> Option<(usize, Option<String>)> {
        let head = self.pending.get(..4)?;
        let length = 4 + u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
        let first_of_a_command = head[3] == 0;
        let message = self.pending.get(4..length)?;
        let text = match message.first() {
            // COM_QUERY, COM_STMT_PREPARE
            Some(3 | 22) if first_of_a_command => Some(String::from_utf8_lossy(&message[1..]).into_owned()),
            _ => None,
        };
        Some((length, text))
    }
}
