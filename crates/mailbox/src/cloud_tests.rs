//! Buckets in object storage against a server that speaks S3: the one of `moto`, a package of PyPI, which the test starts.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};

use crate::address::Address;
use crate::bounded::RESPONSE_BYTES_MAX;
use crate::bucket::{Bucket as _, BucketError};
use crate::cloud::{Cloud, PAGES_MAX};
use crate::conformance::conforms;
use crate::mailbox::Mailbox;

/// Names a python that has `moto` with its server.
const MOTO: &str = "ECAC_TEST_MOTO";

/// A server that ends when it is dropped.
struct Moto {
    process: Child,
    address: String,
}

impl Moto {
    /// The server, or nothing where no python is named.
    fn start() -> Option<Self> {
        let Some(python) = env::var_os(MOTO) else {
            let why = "names no python that has moto[server]";
            drop(writeln!(io::stderr(), "SKIPPED: {MOTO} {why}"));
            return None;
        };
        let mut process = Command::new(python)
            .args(["-m", "moto.server", "--host", "127.0.0.1", "--port", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a python");
        let said = process.stderr.take().expect("a pipe");
        let mut lines = BufReader::new(said).lines();
        let address = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, address) = line.split_once("http://")?;
            Some(address.trim().trim_end_matches('/').to_owned())
        });
        // What it says goes on, and nobody may stop reading it.
        thread::spawn(move || lines.for_each(drop));
        let address = address.expect("moto says where it listens");
        Some(Self { process, address })
    }

    fn bucket(&self, name: &str) {
        let mut stream = TcpStream::connect(&self.address).expect("a server");
        let host = &self.address;
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let sent = stream.write_all(request.as_bytes());
        sent.expect("a request is sent");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        read.expect("an answer is read");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn open(endpoint: &str, address: &str) -> Result<Cloud, BucketError> {
    let variables = [
        ("AWS_ENDPOINT", &*format!("http://{endpoint}")),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "of-the-test"),
        ("AWS_SECRET_ACCESS_KEY", "not-to-be-told"),
        ("GOOGLE_SERVICE_ACCOUNT", "counts for nothing"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Cloud::open(&Address::parse(address).expect("an address"), variables)
}

#[test]
fn a_bucket_of_s3_conforms() {
    let Some(moto) = Moto::start() else { return };
    for address in ["s3://whole", "s3://part/of/it"] {
        let (bucket, _) = address
            .trim_start_matches("s3://")
            .split_once('/')
            .unwrap_or((&address[5..], ""));
        moto.bucket(bucket);
        let mut sides = [(); 2].map(|()| open(&moto.address, address).unwrap());
        let [one, two] = &mut sides;
        conforms(one, two);
    }
}

#[test]
fn a_list_has_all_pages_and_ends() {
    let Some(moto) = Moto::start() else { return };
    moto.bucket("many");
    let mut bucket = open(&moto.address, "s3://many/mail").unwrap();
    bucket.page_objects = 3;
    let numbers = |end: usize| (0..end).map(|it| format!("{it:02}"));
    for number in numbers(10) {
        bucket.put(&format!("packs-00/{number}"), b"x").unwrap();
    }
    let names = |bucket: &Cloud| -> Vec<String> {
        let listed = bucket.list("packs-00").unwrap();
        listed.into_iter().map(|it| it.name).collect()
    };
    assert_eq!(names(&bucket), numbers(10).collect::<Vec<_>>());
    bucket.page_objects = 1;
    for number in numbers(PAGES_MAX + 1).skip(10) {
        bucket.put(&format!("packs-00/{number}"), b"x").unwrap();
    }
    assert_eq!(names(&bucket), numbers(PAGES_MAX).collect::<Vec<_>>());
}

#[test]
fn replicas_agree_through_s3() {
    let Some(moto) = Moto::start() else { return };
    moto.bucket("shop");
    let key = SigningKey::from([1; 32]);
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: [public_key(&key)].into(),
        schema: [].into(),
        features: [].into(),
    };
    let now_ms = 1_767_225_600_000;
    let mut a = Replica::create(genesis, &key, now_ms).unwrap();
    let mut b = Replica::join(a.project());
    let mailbox =
        |node: u8| Mailbox::new(open(&moto.address, "s3://shop/mail").unwrap(), [node; 16]);
    let (mut at_a, mut at_b) = (mailbox(1), mailbox(2));
    for round in 0..10 {
        let value = Value::Text(round.to_string());
        let op = SetField::new("order/1", "status", value).unwrap();
        a.author(op, &key, now_ms + round).unwrap();
        at_a.sync(&mut a).unwrap();
        at_b.sync(&mut b).unwrap();
        assert_eq!(a.state_digest(), b.state_digest());
    }
    let nothing = at_a.sync(&mut a).unwrap();
    assert_eq!(
        (nothing.packs, nothing.lost_packs, nothing.bytes_put),
        (0, 0, 0)
    );
    let again = mailbox(1).looking_after_all().sync(&mut a).unwrap();
    assert_eq!((again.lost_packs, again.bytes_put), (0, 0));
}

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let Some(moto) = Moto::start() else { return };
    let bucket = open(&moto.address, "s3://nowhere").unwrap();
    let error = bucket.list("indexes").unwrap_err();
    assert!(
        error.source.to_string().contains("NoSuchBucket"),
        "{error:?}"
    );
}

/// Answers one connection after the other with these bytes, until nobody connects any more.
fn answering(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            drop(stream.read(&mut [0; 4_096]));
            drop(stream.write_all(&answer));
        }
    });
    address
}

#[test]
fn a_server_that_answers_without_end_is_broken_off() {
    let length = RESPONSE_BYTES_MAX + 1;
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b' ');
    let bucket = open(&answering(answer), "s3://shop").unwrap();
    let error = bucket.list("indexes").unwrap_err();
    assert!(
        error.source.to_string().contains("length limit"),
        "{error:?}"
    );
}

#[test]
fn what_a_server_says_of_a_secret_is_not_told() {
    let body = "<Error><Code>AccessDenied</Code><Message>not-to-be-told</Message></Error>";
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let bucket = open(&answering(answer.into_bytes()), "s3://shop").unwrap();
    let error = bucket.get("indexes/00", 10).unwrap_err();
    let told = format!("{error:?}: {error}");
    assert!(
        told.contains("AccessDenied") && !told.contains("not-to-be-told"),
        "{told}"
    );
    assert_eq!(error.source.kind(), io::ErrorKind::PermissionDenied);
    assert!(
        !format!("{bucket:?}").contains("not-to-be-told"),
        "{bucket:?}"
    );
}

#[test]
fn what_the_environment_says_has_to_suffice() {
    let open = |address: &str, variables: &[(&str, &str)]| {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Cloud::open(
            &Address::parse(address).unwrap(),
            variables.iter().map(owned),
        )
    };
    assert!(open("az://shop", &[]).is_err(), "an account is missing");
    let key = ("AZURE_STORAGE_ACCOUNT_KEY", "bm8=");
    assert!(open("az://shop", &[("AZURE_STORAGE_ACCOUNT_NAME", "we"), key]).is_ok());
    let bad = open(
        "gs://shop",
        &[("GOOGLE_SERVICE_ACCOUNT_KEY", "not-to-be-told")],
    )
    .unwrap_err();
    assert!(!format!("{bad:?}").contains("not-to-be-told"), "{bad:?}");
    let found = open("gs://shop", &[("GOOGLE_SKIP_SIGNATURE", "true")]);
    assert!(found.is_ok(), "{found:?}");
}
