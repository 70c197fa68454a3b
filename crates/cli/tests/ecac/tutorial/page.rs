//! The page: text, and blocks of commands with their answers.

/// The first word of the fence of a block that is played.
const PLAYED: &str = "```console";
const FENCE: &str = "```";

/// A page in its parts.
pub(super) struct Page {
    parts: Vec<Part>,
}

enum Part {
    /// Lines that stay as they are.
    Text(String),
    Block(Block),
}

/// A block of commands.
#[derive(Default)]
pub(super) struct Block {
    /// The fence, as it stands.
    fence: String,
    /// What it is drawn as, if it is.
    pub(super) picture: Option<String>,
    /// The laptops and what is typed on them.
    pub(super) commands: Vec<(String, String)>,
}

impl Page {
    pub(super) fn of(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if !line.starts_with(PLAYED) {
                parts.push(Part::Text(format!("{line}\n")));
                continue;
            }
            let mut block = Block {
                fence: line.to_owned(),
                picture: line.split_whitespace().nth(1).map(str::to_owned),
                commands: Vec::new(),
            };
            for line in lines.by_ref().take_while(|it| *it != FENCE) {
                match line.split_once("$ ") {
                    Some((laptop, typed)) if is_laptop(laptop) => {
                        block.commands.push((laptop.to_owned(), typed.to_owned()));
                    }
                    _ => assert!(!block.commands.is_empty(), "who says {line:?}?"),
                }
            }
            assert!(!block.commands.is_empty(), "a block without a command");
            parts.push(Part::Block(block));
        }
        Self { parts }
    }

    /// The page with what `play` makes of each block.
    pub(super) fn answered(&self, mut play: impl FnMut(&Block) -> String) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Block(block) => format!("{}\n{}{FENCE}\n", block.fence, play(block)),
        });
        parts.collect()
    }
}

/// Whether a prompt could begin so; an answer does not.
fn is_laptop(name: &str) -> bool {
    (1..=12).contains(&name.len()) && name.bytes().all(|it| it.is_ascii_lowercase())
}

#[test]
fn a_page_is_read_and_written() {
    let text = "a\n\n```console x\nvan$ b c\nold\noffice$ d\n```\n```\nvan$ e\n```\n";
    let page = Page::of(text);
    let played = page.answered(|block| {
        assert_eq!(block.picture.as_deref(), Some("x"));
        let commands = block.commands.iter();
        commands
            .map(|(at, line)| format!("{at}$ {line}\nnew\n"))
            .collect()
    });
    assert_eq!(
        played,
        "a\n\n```console x\nvan$ b c\nnew\noffice$ d\nnew\n```\n```\nvan$ e\n```\n"
    );
}
