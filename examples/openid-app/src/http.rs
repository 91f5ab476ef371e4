//! A client for HTTP without TLS, for tests on the same machine.

use openidconnect::http::{Response, Uri};
use openidconnect::{HttpRequest, HttpResponse};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Sends a request on a connection of its own.
///
/// # Errors
/// The connection fails, or the answer is not HTTP.
pub fn send(request: HttpRequest) -> io::Result<HttpResponse> {
    let (parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or_else(|| invalid("no host"))?.as_str();
    let mut stream = TcpStream::connect(authority)?;
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n", parts.method);
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().map_err(invalid)?);
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    read(&answer, &parts.uri)
}

fn read(answer: &[u8], uri: &Uri) -> io::Result<HttpResponse> {
    let end =
        answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| invalid(format!("{uri} hung up")))?;
    let head = std::str::from_utf8(&answer[..end]).map_err(invalid)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(answer[end + 4..].to_vec()).map_err(invalid)
}

fn invalid(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
