use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;

/// A request as it will be sent, byte for byte: nothing is added but `Host`, `Connection: close`
/// and the length of a body.
pub struct Request {
    address: SocketAddr,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        Self { address, head: head.into_bytes(), body: Vec::new() }
    }

    /// With a header; may be called more than once for one name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    pub fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.head.extend_from_slice(name.as_bytes());
        self.head.extend_from_slice(b": ");
        self.head.extend_from_slice(value);
        self.head.extend_from_slice(b"\r\n");
        self
    }

    pub fn cookie(self, pairs: &str) -> Self {
        self.header("Cookie", pairs)
    }

    /// With the session cookie under its name on plain http.
    pub fn session(self, id: &str) -> Self {
        self.cookie(&format!("_my_session_id={id}"))
    }

    pub fn bearer(self, id: &str) -> Self {
        self.header("Authorization", &format!("Bearer {id}"))
    }

    pub fn basic(self, email: &str, password: &str) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", content_type).untyped(body)
    }

    /// With a body of no kind that is said.
    pub fn untyped(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Sends it and reads the answer.
    pub fn send(self) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut bytes = self.head;
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        // A server that refuses a body may close before it has read all of it.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// Reads an answer whose body ends with the connection.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let status = status.unwrap_or_else(|| panic!("no answer: {text:?}"));
        Self { status, headers, body: body.to_owned() }
    }

    /// The value of a header (its name in lower case), if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, which must be JSON without white space.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let body = serde_json::from_str(&self.body);
        let body: Value = body.unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(self.body.len(), body.to_string().len(), "not compact: {}", self.body);
        body
    }

    /// The session id that this answer hands out, whatever the cookie's name is.
    pub fn session_id(&self) -> Option<String> {
        let cookie = self.header("set-cookie")?;
        let value = cookie.split_once('=')?.1.split(';').next()?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Holds that this is an answer with exactly this JSON.
    #[track_caller]
    pub fn assert_is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
    }

    /// Holds that this is an error with exactly this text.
    #[track_caller]
    pub fn assert_error(&self, status: u16, text: &str) {
        self.assert_is(status, &serde_json::json!({ "error": text }).to_string());
    }
}
