//! Every link of a page to a file or a heading leads somewhere, and every path that a page names exists.

use super::markdown::pages;
use super::{Breach, Files, check, keeps};

/// How paths of this repository begin.
const TREES: [&str; 3] = ["crates/", "docs/", "xtask/"];

/// The directories that the programs write and git ignores.
const GENERATED: [&str; 2] = ["docs/eval/out", "docs/eval/signed"];

fn links(files: &Files) -> Vec<Breach> {
    let pages = pages(files);
    let mut breaches = Vec::new();
    for (path, (file, page)) in &pages {
        for link in page.links.iter().filter(|link| !link.text.contains("://")) {
            let (target, anchor) = link.text.split_once('#').unwrap_or((&link.text, ""));
            let found = match target {
                "" => Some((*path).to_owned()),
                _ => resolve(path, target).filter(|path| files.has(path)),
            };
            let what = match found {
                None => format!("there is no `{target}`; mend the link"),
                Some(found) => match pages.get(found.as_str()) {
                    Some((_, page))
                        if !anchor.is_empty() && !page.anchors.iter().any(|it| it == anchor) =>
                    {
                        format!("`{found}` has no heading `#{anchor}`; mend the link")
                    }
                    _ => continue,
                },
            };
            breaches.push(Breach::new(file, link.line, what));
        }
        for span in &page.spans {
            let named = span.text.as_str();
            let is_path = TREES.iter().any(|tree| named.starts_with(tree))
                && !named.contains([' ', '<', '*', '{', ':', '…']);
            let is_generated = GENERATED.iter().any(|tree| named.starts_with(tree));
            if is_path && !is_generated && !files.has(named) {
                let what = format!("there is no `{named}`; name what is there");
                breaches.push(Breach::new(file, span.line, what));
            }
        }
    }
    breaches
}

/// The path from the top that a link on the page at `from` leads to, if it stays in the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "" => return None,
            "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn the_repository_keeps_it() {
    keeps(links);
}

#[test]
fn breaches_are_found() {
    const PAGE: &str = "# A page\n\n[here](#a-page) [up](../b.md#two-words) [dir](../docs/) [web](https://a.example/b)\n\
        [`gone`](gone.md)\n[out](../../c.md) [top](/b.md)\n[no heading](#b)\n[none](../b.md#three)\n\
        `docs/a.md` `docs/eval/out/x` `crates/*/y` `docs/gone/` `docs a`\n\n```\n[code](gone.md)\n```\n";
    check(
        links,
        &[("b.md", "# One\n\n## Two words\n"), ("docs/a.md", PAGE)],
        &[
            "docs/a.md:4: there is no `gone.md`",
            "docs/a.md:5: there is no `../../c.md`",
            "docs/a.md:5: there is no `/b.md`",
            "docs/a.md:6: `docs/a.md` has no heading `#b`",
            "docs/a.md:7: `b.md` has no heading `#three`",
            "docs/a.md:8: there is no `docs/gone/`",
        ],
    );
}
