//! A bucket in object storage: S3 and what speaks as it does, Google Cloud Storage, Azure.

use core::time::Duration;
use std::future::Future;
use std::io::{self, ErrorKind};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, Error, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    RetryConfig,
};
use tokio::runtime::{Builder, Runtime};

use crate::address::{Address, Service};
use crate::bounded::Bounded;
use crate::bucket::{Bucket, BucketError, Listed, Object};
use crate::secret::Secrets;

/// Time to connect, for one request, and for a call with all that is tried again and all pages of a list, in seconds.
const CONNECT_S: u64 = 10;
const REQUEST_S: u64 = 120;
const CALL_S: u64 = 300;
/// How often a request is tried again.
const RETRIES_MAX: usize = 4;
/// Pages of a list; what is beyond them is not seen.
pub(crate) const PAGES_MAX: usize = 64;
/// Objects that one page is asked for; no service has more in one.
const PAGE_OBJECTS: usize = 1_000;
/// The longest second part of a name, in bytes; no object of a mailbox has a longer one.
const NAME_BYTES_MAX: usize = 64;

trait Store: ObjectStore + PaginatedListStore {}

impl<S: ObjectStore + PaginatedListStore> Store for S {}

/// A bucket in object storage, over HTTP. A call waits until it is answered, five minutes at most.
#[derive(Debug)]
pub struct Cloud {
    store: Box<dyn Store>,
    /// Before each name; empty, or with a `/` at its end.
    before: String,
    /// Objects that one page of a list is asked for.
    pub(crate) page_objects: usize,
    runtime: Runtime,
    secrets: Secrets,
}

impl Cloud {
    /// The bucket at the address. Keys, region and endpoint come from the variables of an environment, by the names that the
    /// services' own tools know: `AWS_…`, `GOOGLE_…`, `AZURE_…`; others count for nothing. Nothing is asked of the storage yet.
    ///
    /// # Errors
    /// [`BucketError`] if what the variables say is not enough, or no client can be made of it.
    pub fn open(
        address: &Address,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, BucketError> {
        let first = match address.service() {
            Service::S3 => "AWS_",
            Service::Google => "GOOGLE_",
            Service::Azure => "AZURE_",
        };
        let variables = variables.into_iter().filter(|it| it.0.starts_with(first));
        let variables: Vec<(String, String)> = variables.collect();
        let secrets = Secrets::among(&variables);
        let failed = |source| BucketError {
            name: address.to_string(),
            source,
        };
        // Who has chosen a provider already keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let store = store(address, &variables);
        let store = store.map_err(|error| failed(failure(&error, &secrets)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let path = address.path();
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self {
            store,
            before: format!("{path}{slash}"),
            page_objects: PAGE_OBJECTS,
            runtime: runtime.map_err(failed)?,
            secrets,
        })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}{name}", self.before))
    }

    /// Waits for what a call comes to.
    fn wait<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, BucketError> {
        let limit = Duration::from_secs(CALL_S);
        let waited = self.runtime.block_on(async {
            // A timer needs the runtime that it is made in.
            tokio::time::timeout(limit, call).await
        });
        let source = match waited {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => failure(&error, &self.secrets),
            Err(_) => io::Error::new(ErrorKind::TimedOut, "it takes too long"),
        };
        let name = name.to_owned();
        Err(BucketError { name, source })
    }

    async fn pages(&self, first: &str) -> Result<Vec<Listed>, Error> {
        let prefix = format!("{}{first}/", self.before);
        let mut listed = Vec::new();
        let mut page_token = None;
        for _ in 0..PAGES_MAX {
            let options = PaginatedListOptions {
                max_keys: Some(self.page_objects),
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = self.store.list_paginated(Some(&prefix), options).await?;
            for meta in page.result.objects {
                let name = meta.location.as_ref().strip_prefix(&prefix);
                let Some(name) = name.filter(|it| it.len() <= NAME_BYTES_MAX) else {
                    continue;
                };
                listed.push(Listed {
                    name: name.to_owned(),
                    version: version(meta.e_tag.as_deref(), &meta),
                });
            }
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
        listed.sort_unstable();
        Ok(listed)
    }
}

impl Bucket for Cloud {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        let path = self.path(name);
        let payload = bytes.to_vec().into();
        self.wait(name, async {
            let put = self.store.put(&path, payload).await?;
            match put.e_tag {
                Some(tag) => Ok(plain(&tag)),
                None => {
                    let meta = self.store.head(&path).await?;
                    Ok(version(meta.e_tag.as_deref(), &meta))
                }
            }
        })
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError> {
        let path = self.path(name);
        self.wait(name, async {
            let found = match self.store.get(&path).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            let fits = |bytes: u64| usize::try_from(bytes).is_ok_and(|it| it <= bytes_max);
            if !fits(found.meta.size) {
                return Ok(None);
            }
            let version = version(found.meta.e_tag.as_deref(), &found.meta);
            let bytes = found.bytes().await?.to_vec();
            Ok((bytes.len() <= bytes_max).then_some(Object { bytes, version }))
        })
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        self.wait(first, self.pages(first))
    }
}

/// The store of the service.
fn store(address: &Address, variables: &[(String, String)]) -> Result<Box<dyn Store>, Error> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: RETRIES_MAX,
        retry_timeout: Duration::from_secs(REQUEST_S),
    };
    let limits = [
        (ClientConfigKey::ConnectTimeout, CONNECT_S),
        (ClientConfigKey::Timeout, REQUEST_S),
    ];
    // The limits are told first, so that who has a slow line can set others.
    macro_rules! build {
        ($builder:ty, $key:ident, $named:ident) => {{
            let mut builder = <$builder>::new().with_retry(retry);
            for (key, seconds) in limits {
                builder = builder.with_config($key::Client(key), format!("{seconds} seconds"));
            }
            for (name, value) in variables {
                if let Ok(key) = name.to_ascii_lowercase().parse::<$key>() {
                    builder = builder.with_config(key, value);
                }
            }
            let builder = builder.$named(address.bucket());
            Ok(Box::new(
                builder.with_http_connector(Bounded::default()).build()?,
            ))
        }};
    }
    match address.service() {
        Service::S3 => build!(AmazonS3Builder, AmazonS3ConfigKey, with_bucket_name),
        Service::Google => build!(GoogleCloudStorageBuilder, GoogleConfigKey, with_bucket_name),
        Service::Azure => build!(MicrosoftAzureBuilder, AzureConfigKey, with_container_name),
    }
}

/// The entity tag, or the length and the time of the last change where there is none.
fn version(tag: Option<&str>, meta: &ObjectMeta) -> String {
    let time = || format!("{}-{}", meta.size, meta.last_modified.timestamp_micros());
    tag.map_or_else(time, plain)
}

/// An entity tag without its quotes, which some services leave away in lists.
fn plain(tag: &str) -> String {
    let strong = tag.strip_prefix("W/").unwrap_or(tag);
    strong.trim_matches('"').to_owned()
}

/// What went wrong, in the words of the storage, without secrets.
fn failure(error: &Error, secrets: &Secrets) -> io::Error {
    let kind = match error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Other,
    };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    io::Error::new(kind, secrets.hidden(&text))
}
