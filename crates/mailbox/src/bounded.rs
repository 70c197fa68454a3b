//! The HTTP client of a bucket, with a limit to what it takes in.

use core::future::Future;
use core::pin::Pin;

use http_body_util::{BodyExt as _, Limited};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

/// One response, in bytes: a pack, or a page of a list.
pub(crate) const RESPONSE_BYTES_MAX: usize = 16 << 20;

/// Makes clients that break off a response beyond [`RESPONSE_BYTES_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Bounded(ReqwestConnector);

#[derive(Debug)]
struct BoundedClient(HttpClient);

impl HttpConnector for Bounded {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(BoundedClient(self.0.connect(options)?)))
    }
}

impl HttpService for BoundedClient {
    // As `async_trait` writes it.
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let response = self.0.execute(request).await?;
            Ok(response.map(|body| {
                let limited = Limited::new(body, RESPONSE_BYTES_MAX);
                let error = |it| HttpError::new_boxed(HttpErrorKind::Decode, it);
                HttpResponseBody::new(limited.map_err(error))
            }))
        })
    }
}
