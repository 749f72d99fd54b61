//! The room as tonic's generated clients see it: a gRPC service over the connections for streams.

use super::super::error::Error;
use super::connection::Connection;
use super::Transport;
use bytes::Bytes;
use http_body::{Body, Frame};
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use tokio_util::sync::{CancellationToken, DropGuard};

#[derive(Clone)]
pub struct StreamService {
    transport: Arc<Transport>,
    turn: Arc<AtomicUsize>,
}

impl StreamService {
    pub(super) fn new(transport: Arc<Transport>) -> Self {
        StreamService { transport, turn: Arc::default() }
    }

    async fn open(self, request: http::Request<tonic::body::Body>) -> Result<http::Response<Answer>, Error> {
        let channels = &self.transport.streams;
        let channel = &channels[self.turn.load(Ordering::Relaxed) % channels.len()];
        let unavailable = || {
            self.turn.fetch_add(1, Ordering::Relaxed);
            self.transport.unavailable(channels)
        };
        let connection = channel.connection().await.map_err(|()| unavailable())?;
        let answer = start(&connection, request).await.map_err(|_| unavailable())?;
        Ok(answer)
    }
}

async fn start(
    connection: &Connection,
    request: http::Request<tonic::body::Body>,
) -> Result<http::Response<Answer>, h2::Error> {
    let mut sender = connection.ready().await?;
    let (head, body) = request.into_parts();
    let (answer, stream) = sender.send_request(connection.request(head.uri.path(), head.headers), false)?;
    let dropped = CancellationToken::new();
    let guard = dropped.clone().drop_guard();
    tokio::spawn(async move {
        tokio::select! {
            _ = dropped.cancelled() => {}
            _ = pump(body, stream) => {}
        }
    });
    Ok(answer.await?.map(|body| Answer { body, data_done: false, _guard: guard }))
}

/// Carries the request's frames to the socket. Ending early drops the stream, which resets it: a half-closed
/// watch would go on at the server (§6.18).
async fn pump(mut body: tonic::body::Body, mut stream: h2::SendStream<Bytes>) -> Result<(), h2::Error> {
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Some(mut data) = frame.ok().and_then(|frame| frame.into_data().ok()) else { break };
        while !data.is_empty() {
            stream.reserve_capacity(data.len());
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(granted) => stream.send_data(data.split_to(granted?.min(data.len())), false)?,
                None => return Ok(()),
            }
        }
    }
    stream.send_data(Bytes::new(), true)
}

impl tower_service::Service<http::Request<tonic::body::Body>> for StreamService {
    type Response = http::Response<Answer>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(self.clone().open(request))
    }
}

/// The body of an answer; dropping it resets the stream.
pub struct Answer {
    body: h2::RecvStream,
    data_done: bool,
    _guard: DropGuard,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_done {
            if let Some(chunk) = ready!(self.body.poll_data(cx)) {
                let chunk = chunk?;
                self.body.flow_control().release_capacity(chunk.len())?;
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            self.data_done = true;
        }
        let trailers = ready!(self.body.poll_trailers(cx))?;
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }
}
