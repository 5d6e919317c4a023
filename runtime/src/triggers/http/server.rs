//! The listener: accepts connections, bounds them, and lets them end.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{super::router::Router, Target, call::Service, numbers::RouteNumbers, stream::TimeoutStream};
use crate::{
    descriptors,
    limits::{Limits, length, millis},
    telemetry::{Event, Logger},
    traces::Tracer,
};

/// After the system refused a connection (out of descriptors, mostly), so long nothing is accepted.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves one address.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    connections: Arc<Semaphore>,
    max_connections: usize,
    service: Arc<Service>,
    http: http1::Builder,
    response_timeout: Duration,
    tasks: ServerTasks,
    log: Logger,
}

/// What is to be seen of a server that serves.
#[derive(Clone, Debug)]
pub(crate) struct HttpView {
    service: Arc<Service>,
    max_connections: usize,
}

impl HttpView {
    /// Of each route, by its pattern, and under an empty one of what fits none: answers by status, and how long they took to begin.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&str, &RouteNumbers)> {
        let patterns = self.service.router().routes().map(|(pattern, _)| pattern.as_str());
        patterns.chain([""]).zip(self.service.numbers().routes())
    }

    /// How many requests were refused, by why.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.service.numbers().refusals()
    }

    /// How many requests are there and how many may be, by what they do.
    pub(crate) fn in_work(&self) -> [(&'static str, usize, usize); 3] {
        self.service.places().taken()
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> u64 {
        self.service.numbers().connections()
    }

    /// How many may be.
    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections
    }
}

/// A connection that is open. Dropped with it.
struct Open {
    service: Arc<Service>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(service: &Arc<Service>, permit: OwnedSemaphorePermit) -> Self {
        service.numbers().connected();
        Self { service: Arc::clone(service), _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.service.numbers().disconnected();
    }
}

/// How a server is stopped and waited for.
#[derive(Clone, Debug, Default)]
pub struct ServerTasks {
    /// Nobody should send requests here any more; who does is answered.
    pub leave: CancellationToken,
    /// No new connections and requests; what runs goes on.
    pub stop: CancellationToken,
    /// What still runs ends at once.
    pub kill: CancellationToken,
    /// All tasks.
    pub tracker: TaskTracker,
}

impl HttpServer {
    /// On a listener that is bound already. What it starts is among `tasks`.
    #[must_use]
    pub fn new(
        listener: TcpListener,
        router: Router<Target>,
        limits: &Limits,
        tasks: ServerTasks,
        log: Logger,
        tracer: Tracer,
    ) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(millis(limits.header_timeout_ms))
            .max_header_size(length(limits.max_header_bytes))
            // hyper reads in steps up to this; without it a header could not be as long as it may.
            .max_buf_size(length(limits.max_header_bytes).max(64 * 1024));
        let open_files = descriptors::limit();
        let max_connections = descriptors::connections(limits.max_connections, open_files);
        if let Some(open_files) = open_files.filter(|_| max_connections < limits.max_connections) {
            log.event(&Event::ConnectionsClamped { max_connections, open_files });
        }
        Self {
            listener,
            connections: Arc::new(Semaphore::new(length(max_connections))),
            max_connections: length(max_connections),
            service: Arc::new(Service::new(router, limits, &tasks, log.clone(), tracer)),
            http,
            response_timeout: millis(limits.response_timeout_ms),
            tasks,
            log,
        }
    }

    /// What somebody else may see of it, while it serves and afterwards.
    pub(crate) fn view(&self) -> HttpView {
        HttpView { service: Arc::clone(&self.service), max_connections: self.max_connections }
    }

    /// Serves until told to stop. Connections go on in tasks of their own.
    pub async fn run(self) {
        let accepting = async {
            loop {
                let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
                match self.listener.accept().await {
                    Ok((stream, client)) => {
                        let connection = self.connection(stream, client, permit);
                        self.tasks.tracker.spawn(connection);
                    }
                    Err(error) => {
                        self.log.event(&Event::AcceptFailed { cause: &error.to_string() });
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            () = self.tasks.stop.cancelled() => {}
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        client: SocketAddr,
        permit: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + Send + 'static {
        // Responses are written whole; waiting for more (Nagle) would only delay them. A socket that can't do it still works.
        let _ = stream.set_nodelay(true);
        let stream = TimeoutStream::new(stream, self.response_timeout);
        let (service, http) = (Arc::clone(&self.service), self.http.clone());
        let open = Open::new(&self.service, permit);
        let (stop, kill) = (self.tasks.stop.clone(), self.tasks.kill.clone());
        async move {
            let serve = service_fn(|request| {
                let service = &service;
                async move { Ok::<_, std::convert::Infallible>(service.answer(request, client).await) }
            });
            let mut connection = pin!(http.serve_connection(TokioIo::new(stream), serve));
            let mut stopping = pin!(stop.cancelled());
            let ended = tokio::select! {
                // Errors are the client's going away, or its breaking of HTTP, which hyper has answered.
                _ = connection.as_mut() => true,
                () = &mut stopping => false,
            };
            if !ended {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    _ = connection => {}
                    () = kill.cancelled() => {}
                }
            }
            drop(open);
        }
    }
}
