//! How long is a client waited for? Connections are served one by one, each with bounds on how long
//! its request may take to come in, and all of them end soon after a stop is asked for. Not here:
//! what a request means.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How long the server waits for its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request, from the moment it may begin: a connection that is silent for
    /// longer is closed.
    pub(crate) head: Duration,
    /// For the whole body of a request, from the end of its head.
    pub(crate) body: Duration,
    /// For the requests under way when a stop is asked for.
    pub(crate) stop: Duration,
}

impl Patience {
    /// What `wayfare serve` keeps to.
    pub(crate) const SERVING: Self = Self {
        head: Duration::from_secs(30),
        body: Duration::from_secs(60),
        stop: Duration::from_secs(5),
    };
}

/// How long accepting pauses when the system has no more file descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Serves until `stop`; on return every connection is closed, and nothing holds the router.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(connection(stream, &router, patience));
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended before its request did");
                    }
                });
            }
            // The connections that hold the descriptors go on.
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop((listener, router));
    if tokio::time::timeout(patience.stop, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests that never ended were cut off; nothing of them was taken");
    }
    connections.shutdown().await;
}

/// One connection: its requests go to the router.
fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    router: &Router,
    patience: Patience,
) -> http1::Connection<TokioIo<S>, TowerToHyperService<Router>> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(router.clone()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Doors, Keys, Tokens, router};
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::mpsc;

    /// As good as for ever.
    const LONG: Duration = Duration::from_hours(1);
    const SHORT: Duration = Duration::from_millis(5);
    const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

    /// What a client hears that sends this and then waits with the connection open.
    async fn hear(sent: &str, patience: Patience) -> String {
        let (inbox, _taken) = mpsc::channel(1);
        let doors = Doors {
            keys: Keys::default(),
            tokens: Arc::new(Tokens::Nobody),
            unsubscribe: None,
        };
        let router = router(doors, inbox, patience);
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        client.write_all(sent.as_bytes()).await.unwrap();
        let serving = tokio::spawn(async move { connection(server, &router, patience).await });
        let mut heard = String::new();
        let reading = client.read_to_string(&mut heard);
        let read = tokio::time::timeout(GIVE_UP_AFTER, reading).await;
        read.expect("the server waits for ever").unwrap();
        // Closed by the server, whatever it thinks of the client.
        let _ended = serving.await.unwrap();
        heard
    }

    #[tokio::test]
    async fn a_request_that_does_not_come_to_its_end_is_not_waited_for() {
        let patience = |head, body| Patience {
            head,
            body,
            stop: LONG,
        };
        let half_head = "POST /v1/track HTTP/1.1\r\nHost: te";
        assert_eq!(hear(half_head, patience(SHORT, LONG)).await, "");
        assert_eq!(hear("", patience(SHORT, LONG)).await, "");
        for path in ["track", "batch"] {
            let half_body = format!(
                "POST /v1/{path} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{{\"userId\":"
            );
            let heard = hear(&half_body, patience(LONG, SHORT)).await;
            let words = [
                "HTTP/1.1 408 Request Timeout\r\n",
                "content-type: application/problem+json\r\n",
                "connection: close\r\n",
                "\"code\":\"too_slow\"",
            ];
            for word in words {
                assert!(heard.contains(word), "no `{word}` in {heard}");
            }
        }
    }
}
