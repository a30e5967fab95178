use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use rustls::{ClientConfig, ClientConnection};
use serde_json::Value;
use sessiond::error::Code;

use super::stream::Stream;
use super::{ADMIN, ADMIN_PASSWORD};

/// How long an answer may take before a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who speaks to the server at an address.
pub struct Client {
    pub address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Client {
    /// Somebody who speaks plain HTTP.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// Somebody who speaks HTTP over TLS.
    pub fn over_tls(address: SocketAddr, tls: ClientConfig) -> Self {
        Self { address, tls: Some(Arc::new(tls)) }
    }

    /// A request that can be added to and is then sent.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(self.address, method, path);
        Request { tls: self.tls.clone(), ..request }
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// A connection of its own, for more than one request or for what is no request.
    pub fn connect(&self) -> Connection {
        self.try_connect().unwrap()
    }

    /// The same, if the server still takes connections.
    pub fn try_connect(&self) -> Option<Connection> {
        Connection::open(self.address, self.tls.as_ref()).ok()
    }

    /// A login with these fields, not sent yet.
    pub fn login(&self, fields: &[(&str, &str)]) -> Request {
        self.post("/api/v1/auth_session/login").form(fields)
    }

    /// Logs in and returns the session id.
    pub fn log_in(&self, email: &str, password: &str) -> String {
        let answer = self.login(&[("email", email), ("password", password)]).send();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.session_id().expect("a login sets the cookie")
    }

    /// The session id of the first admin, logged in anew.
    pub fn admin(&self) -> String {
        self.log_in(ADMIN, ADMIN_PASSWORD)
    }
}

/// A request as it will be sent, byte for byte: nothing is added but `Host`, `Connection: close`
/// and the length of a body.
pub struct Request {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self::to_host(address, &address.to_string(), method, target)
    }

    /// A GET of the same server, on a connection of its own.
    pub fn behind(&self, target: &str) -> Self {
        Self { tls: self.tls.clone(), ..Self::new(self.address, "GET", target) }
    }

    /// A request to a server that is known by another name.
    pub fn to_host(address: SocketAddr, host: &str, method: &str, target: &str) -> Self {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        Self { address, tls: None, head: head.into_bytes(), body: Vec::new() }
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

    /// With the head of a JSON body of this length, which the server shall ask for.
    pub fn json_announced(self, length: usize) -> Self {
        self.header("Content-Type", "application/json")
            .header("Content-Length", &length.to_string())
            .header("Expect", "100-continue")
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
        self.start().finish()
    }

    /// Sends it; the answer is read from what this returns.
    pub fn start(self) -> Connection {
        self.try_start().unwrap()
    }

    /// Sends it to a server that may be killed at any moment; half an answer is none.
    pub fn try_send(self) -> Option<Answer> {
        self.try_start().ok()?.try_answer()
    }

    fn try_start(self) -> io::Result<Connection> {
        let mut connection = Connection::open(self.address, self.tls.as_ref())?;
        let mut bytes = self.head;
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        connection.write(&bytes);
        Ok(connection)
    }
}

/// A connection to the server.
pub struct Connection(BufReader<Stream>);

impl Connection {
    fn open(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let tls = tls.map(|tls| ClientConnection::new(Arc::clone(tls), address.ip().into()));
        Ok(Self(BufReader::new(Stream::new(stream, tls.transpose().map_err(io::Error::other)?))))
    }

    /// From here on speaks TLS, of which something may have been said already.
    pub fn with_tls(self, tls: ClientConnection) -> Self {
        Self(BufReader::new(Stream::new(self.0.into_inner().into_tcp(), Some(tls))))
    }

    /// Ends the handshake of TLS, and returns what is known then.
    pub fn handshake(&mut self) -> io::Result<&ClientConnection> {
        self.0.get_mut().handshake()
    }

    /// Waits until the next answer begins.
    pub fn begun(&mut self) {
        assert!(!self.0.fill_buf().unwrap().is_empty(), "closed without an answer");
    }

    /// Writes these bytes. A server that refuses a body may close before it has read all of it.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.get_mut().write_all(bytes.as_ref());
    }

    /// Reads the next answer, as long as its head says that it is; none when the connection ends
    /// before it.
    pub fn answer(&mut self) -> Option<Answer> {
        let (head, answer) = self.read_answer();
        assert!(answer.is_some() || head.is_empty(), "half an answer: {head:?}");
        answer
    }

    /// The same from a server that may be killed at any moment: half an answer is none.
    pub fn try_answer(&mut self) -> Option<Answer> {
        self.read_answer().1
    }

    fn read_answer(&mut self) -> (Vec<u8>, Option<Answer>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.0.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return (head, None);
            }
        }
        let mut answer = Answer::parse(&head);
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        if self.0.read_exact(&mut body).is_err() {
            return (head, None);
        }
        answer.body = String::from_utf8(body).unwrap();
        (head, Some(answer))
    }

    /// Reads the one answer that is still to come, up to the end of the connection.
    pub fn finish(self) -> Answer {
        Answer::parse(&self.rest())
    }

    /// Everything that comes until the server closes. A test whose server does not fails.
    pub fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the server does not close: {error}"),
        }
        rest
    }

    /// Says that nothing more will be written.
    pub fn end(&mut self) {
        self.0.get_mut().tcp().shutdown(Shutdown::Write).unwrap();
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

    /// All values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
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

    /// Holds that this is an error with exactly this text, and with a code that is in the list.
    #[track_caller]
    pub fn assert_error(&self, status: u16, text: &str) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(Code::ALL.iter().any(|known| known.name() == code), "{self:?}");
        self.assert_refused(status, text, &code);
    }

    /// Holds that this is an error with exactly this text and this code, and nothing else.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, text: &str, code: &str) {
        let text = Value::from(text);
        self.assert_is(status, &format!(r#"{{"error":{text},"code":"{code}"}}"#));
    }
}
