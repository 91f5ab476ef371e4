//! A TCP connection that is metered and can be closed from outside.

use crate::connections::ConnectionPermit;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection with its permit, which is released when this is dropped, even after an upgrade.
#[derive(Debug)]
pub struct PermittedStream {
    io: TcpStream,
    permit: ConnectionPermit,
}

impl PermittedStream {
    pub fn new(io: TcpStream, permit: ConnectionPermit) -> Self {
        Self { io, permit }
    }

    pub fn permit(&self) -> &ConnectionPermit {
        &self.permit
    }

    /// Fails if the connection was cut. Buffered data is discarded, because the peer did not read it in time.
    fn check(&self) -> io::Result<()> {
        if !self.permit.meter().is_cut() {
            return Ok(());
        }
        let _ = self.io.set_zero_linger();
        Err(io::Error::new(io::ErrorKind::TimedOut, "the connection was too slow, or its place was needed"))
    }

    fn after_write(&self, context: &Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let meter = self.permit.meter();
        match &written {
            Poll::Ready(Ok(bytes)) => {
                meter.written.moved(*bytes, meter.now());
                meter.moved();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                meter.written.waits(meter.now());
                meter.on_cut_wake_writer(context.waker());
                self.check()?;
            }
        }
        written
    }
}

impl AsyncRead for PermittedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        let meter = self.permit.meter();
        if read.is_pending() {
            meter.on_cut_wake_reader(context.waker());
            self.check()?;
        } else if buffer.filled().len() > before {
            meter.moved();
        }
        read
    }
}

impl AsyncWrite for PermittedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.after_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.after_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
