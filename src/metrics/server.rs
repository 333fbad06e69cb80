//! The metrics endpoint: answers GET and HEAD over HTTP/1.1 with the pages that there are.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::os::acceptor::Acceptor;

/// What the page is, by the specification.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// How many may ask at once; more are shut at once.
const MOST_CONNECTIONS: usize = 8;
/// How long a request and its answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes the head of a request may have; hyper takes no less.
const MOST_HEAD: usize = 8_192;

/// What is at a path.
#[derive(Debug)]
pub enum ServedPage {
    /// Metrics as `OpenMetrics` text.
    Metrics(String),
    /// How it goes: well, or not, in a word.
    State(bool, &'static str),
}

/// An endpoint that listens, and does not yet answer.
#[derive(Debug)]
pub struct MetricsEndpoint(Acceptor);

impl MetricsEndpoint {
    /// Takes the address; port 0 takes any free one.
    ///
    /// # Errors
    /// If the system does not give it.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Acceptor::bind(address).await.map(Self)
    }

    /// The address with the port that the system gave.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers with the page of a path as it is when asked, until the end.
    pub async fn run<F: Future<Output = Option<ServedPage>> + Send + 'static>(
        mut self,
        end: impl Future<Output = ()>,
        page: impl Fn(String) -> F + Send + Sync + 'static,
    ) {
        let mut end = pin!(end);
        let page = Arc::new(page);
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = &mut end => return,
                accepted = self.0.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let page = Arc::clone(&page);
            tokio::spawn(async move {
                serve(stream, page).await;
                drop(place);
            });
        }
    }
}

/// One request a connection: who scrapes every few seconds gains nothing by keeping it.
async fn serve<F: Future<Output = Option<ServedPage>> + Send + 'static>(
    stream: TcpStream,
    page: Arc<impl Fn(String) -> F + Send + Sync + 'static>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page(request.uri().path().to_owned());
        async move { Ok::<_, Infallible>(answer(request.method(), page.await)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever asked and went away, or asked for nothing that is HTTP, is no news.
    let _ = tokio::time::timeout(PATIENCE, connection).await;
}

fn answer(method: &Method, page: Option<ServedPage>) -> Response<Full<Bytes>> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match page {
        Some(ServedPage::Metrics(page)) if reads => response(StatusCode::OK, OPEN_METRICS, page),
        Some(ServedPage::State(is_well, word)) if reads => {
            let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            response(status, PLAIN, format!("{word}\n"))
        }
        Some(_) => {
            let mut response = response(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD\n".to_owned());
            response.headers_mut().insert(ALLOW, ALLOWED);
            response
        }
        None => response(StatusCode::NOT_FOUND, PLAIN, "the metrics are at /metrics\n".to_owned()),
    }
}

fn response(status: StatusCode, content_type: HeaderValue, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
