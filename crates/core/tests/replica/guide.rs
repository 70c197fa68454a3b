//! The blocks of `docs/embedding.md`, which stand in these functions line by line, and what its tables have to name.

use std::error::Error;
use std::sync::mpsc;

use ecac_core::payload::{Revoke, SetField};
use ecac_core::{
    Action, Authored, Event, Genesis, Name, PublicKey, Received, Replica, SchemaRule, SignError,
    Signer, SigningKey, Value, public_key,
};

const PAGE: &str = include_str!("../../../../docs/embedding.md");
const CODE: &str = include_str!("guide.rs");

type Outcome = Result<(), Box<dyn Error>>;

fn founded() -> Result<(Replica, SigningKey), Box<dyn Error>> {
    let (nonce, now_ms) = ([0; 16], 1_767_225_600_000);
    let root = SigningKey::from([1; 32]);
    let genesis = Genesis {
        name: Name::new("refurbishing shop")?,
        nonce,
        roots: [public_key(&root)].into(),
        schema: [SchemaRule {
            object: Name::new("phone/*")?,
            field: Name::new("*")?,
            tags: [Name::new("repair")?].into(),
        }]
        .into(),
        features: [].into(),
    };
    let office = Replica::create(genesis, &root, now_ms)?;
    Ok((office, root))
}

fn joined(office: &Replica) -> Result<Replica, Box<dyn Error>> {
    let mut van = Replica::builder().drift_ms(5_000).join(office.project());
    let received = van.receive(&office.envelopes().collect::<Vec<_>>());
    assert!(received.missing.is_empty());
    Ok(van)
}

fn written(
    office: &mut Replica,
    root: &SigningKey,
    now_ms: u64,
) -> Result<Authored, Box<dyn Error>> {
    let write = SetField::new("phone/7", "status", Value::Text("repaired".into()))?;
    let written = office.author(write, root, now_ms)?;
    let to_send: &[u8] = &written.envelope;
    assert!(!to_send.is_empty());
    Ok(written)
}

/// What an interface says of a batch.
fn news(received: &Received) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &received.changes {
        let value = change.after.as_ref().map(|shown| &shown.value);
        lines.push(format!("{} is now {value:?}", change.place));
    }
    for event in &received.events {
        if let Event::RolledBack {
            op, reason, cause, ..
        } = event
        {
            lines.push(format!(
                "{} was taken back by {cause}: {}",
                op.id,
                reason.meaning()
            ));
        }
    }
    lines
}

fn asked(office: &Replica, now_ms: u64) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(shown) = &office.get("phone/7", "status").value {
        lines.push(format!("{:?}, by {}", shown.value, shown.winners[0].author));
    }
    for member in office.members(now_ms).iter().filter(|it| it.is_live()) {
        lines.push(format!("{} is {}", member.person, member.grants[0].role));
    }
    let tags = office.tags("phone/7", "status");
    for (key, allowed) in office.who_can(Action::Edit, &tags, now_ms).iter() {
        lines.push(format!("{key} may, by {} grants", allowed.warrants.len()));
    }
    lines
}

/// A key that another thread, a token or another process holds.
struct Remote {
    public: PublicKey,
    ask: mpsc::Sender<(Vec<u8>, mpsc::Sender<[u8; 64]>)>,
}

impl Signer for Remote {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let (answer, answered) = mpsc::channel();
        let asked = self.ask.send((message.to_vec(), answer));
        asked.map_err(|_| SignError::failed("nobody holds the key"))?;
        answered.recv().map_err(|_| SignError::Declined)
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "who embeds the engine may have threads"
)]
fn the_guide_does_what_it_says() -> Outcome {
    let (mut office, root) = founded()?;
    let now_ms = 1_767_225_660_000;
    let mut van = joined(&office)?;
    let repaired = written(&mut office, &root, now_ms)?;
    let told = news(&van.receive(&[&repaired.envelope]));
    assert_eq!(told, ["phone/7 . status is now Some(Text(\"repaired\"))"]);
    let author = public_key(&root);
    let expected = [
        format!("Text(\"repaired\"), by {author}"),
        format!("{author} is root"),
        format!("{author} may, by 1 grants"),
    ];
    assert_eq!(asked(&van, now_ms), expected);

    let technician = public_key(&SigningKey::from([2; 32]));
    let preview = office.preview(Revoke::of(technician), public_key(&root), now_ms)?;
    let lost = preview.received.rolled_back().count();
    let does = preview.effect.map(|effect| effect.code.meaning());
    assert_eq!(lost, 0);
    assert!(
        does.is_some_and(|it| it.starts_with("it had reached nobody")),
        "{does:?}"
    );

    let (ask, asked) = mpsc::channel::<(Vec<u8>, mpsc::Sender<[u8; 64]>)>();
    let public = public_key(&root);
    let holder = std::thread::spawn(move || {
        for (message, answer) in asked {
            // Whoever asked and went away needs no answer.
            let _ = answer.send(root.sign(&message).into());
        }
    });
    let signer = Remote { public, ask };
    let write = SetField::new("phone/7", "status", Value::Text("sold".into()))?;
    office.author(write, &signer, now_ms)?;
    drop(signer);
    holder
        .join()
        .map_err(|_| "the holder of the key panicked")?;

    let worker = std::thread::spawn(move || office.state_digest());
    assert_ne!(worker.join().map_err(|_| "no digest")?, van.state_digest());
    Ok(())
}

/// The lines of a text, without those that are blank and without indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect()
}

#[test]
fn every_block_of_the_guide_stands_in_what_runs() {
    let code = lines(CODE);
    let blocks: Vec<&str> = PAGE
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 7, "{}", blocks.len());
    for block in blocks {
        let wanted = lines(block);
        let stands = code.windows(wanted.len()).any(|it| it == wanted);
        assert!(stands, "this block is not in guide.rs:\n{block}");
    }
}

#[test]
fn the_guide_names_every_event_and_error() {
    let events = include_str!("../../src/replica/event.rs");
    let errors = include_str!("../../src/replica/author.rs");
    let variants = |source: &str, name: &str| -> Vec<String> {
        let start = format!("pub enum {name} {{\n");
        let (_, rest) = source.split_once(&start).expect("the enum");
        let (body, _) = rest.split_once("\n}\n").expect("its end");
        let is_variant = |line: &&str| {
            line.starts_with("    ") && line.chars().nth(4).is_some_and(char::is_uppercase)
        };
        let name = |line: &str| line.trim().split([' ', '(', ',']).next().map(str::to_owned);
        body.lines().filter(is_variant).filter_map(name).collect()
    };
    let mut names = variants(events, "Event");
    assert_eq!(names.len(), 10);
    names.extend(variants(errors, "DraftError"));
    names.extend(
        variants(errors, "AuthorError")
            .into_iter()
            .filter(|it| it != "Draft"),
    );
    assert_eq!(names.len(), 22);
    for name in names {
        assert!(
            PAGE.contains(&format!("| `{name}` |")),
            "no row of the guide is about `{name}`"
        );
    }
}
