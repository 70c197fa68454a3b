//! Every command that a page or a help text names exists, with its options.

use clap::{Command, CommandFactory as _};

use super::markdown::pages;
use super::toml_file::TomlFile;
use super::{Breach, Files, check, keeps, line_of, numbered};

/// The source file of the command line of xtask.
const MAIN: &str = "xtask/src/command/mod.rs";

/// Where the command lines of xtask and of its programs are made.
const SOURCES: [&str; 5] = [
    "xtask/src/",
    "crates/perf/src/",
    "crates/release/src/",
    "crates/soak/src/",
    "crates/supply/src/",
];

/// The commands of the program `ecac`, a module each.
const ECAC_COMMANDS: &str = "crates/cli/src/command";

/// What GitHub runs.
const WORKFLOWS: &str = ".github/workflows/";

/// What has to pass before anything lands.
const CI: &str = ".ci/run";

/// The command line of xtask, with those of its programs in their places.
fn command_line() -> Command {
    let programs = [
        ecac_perf::command(),
        ecac_release::command(),
        ecac_soak::command(),
        ecac_supply::command(),
    ];
    let of_programs = programs.iter().flat_map(Command::get_subcommands);
    let mut xtask = of_programs.fold(xtask::command::Cli::command(), |xtask, command| {
        let stub = xtask.find_subcommand(command.get_name());
        let about = stub.and_then(Command::get_about).map(ToString::to_string);
        let says = command.get_about().map(ToString::to_string);
        assert_eq!(
            about, says,
            "what `cargo xtask` says of a program is what the program says"
        );
        xtask.mut_subcommand(command.get_name(), |_| command.clone())
    });
    xtask.build();
    xtask
}

fn commands(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let xtask = command_line();
    for (file, page) in pages(files).values() {
        for piece in page.block_lines.iter().chain(&page.spans) {
            for what in problems(files, &xtask, &piece.text) {
                breaches.push(Breach::new(file, piece.line, what));
            }
        }
    }
    breaches.extend(in_help(files, &xtask));
    breaches.extend(in_automation(files, &xtask));
    breaches
}

/// The commands of xtask in what GitHub and CI run, a line each.
fn in_automation(files: &Files, xtask: &Command) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let automation = files
        .iter()
        .filter(|file| file.path.starts_with(WORKFLOWS) || file.path == CI);
    for file in automation {
        for (number, line) in numbered(file.text()) {
            for what in problems(files, xtask, from_cargo(line)) {
                breaches.push(Breach::new(file, number, what));
            }
        }
    }
    breaches
}

/// The examples before and after the help of each command, at least one for each.
fn in_help(files: &Files, xtask: &Command) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let Some(main) = files.get(MAIN) else {
        return breaches;
    };
    let mut open: Vec<&Command> = vec![xtask];
    while let Some(command) = open.pop() {
        let shown = command.get_subcommands();
        open.extend(shown.filter(|it| !it.is_hide_set() && it.get_name() != "help"));
        let ends = [command.get_before_help(), command.get_after_help()];
        let ends: Vec<_> = ends.iter().flatten().map(ToString::to_string).collect();
        let help = ends.join("\n");
        let name = command.get_bin_name().unwrap_or(command.get_name());
        if !help.contains(name) {
            let what = format!("the help of `{name}` has no example; give it one in `after_help`");
            breaches.push(Breach::new(main, 1, what));
        }
        for example in help.lines().map(str::trim) {
            let mut sources = files
                .iter()
                .filter(|it| SOURCES.iter().any(|start| it.path.starts_with(start)));
            let source = sources.find(|it| it.text().contains(example));
            let source = source.unwrap_or(main);
            let place = source.text().find(example).unwrap_or_default();
            for what in problems(files, xtask, from_cargo(example)) {
                breaches.push(Breach::new(source, line_of(source.text(), place), what));
            }
        }
    }
    breaches
}

/// A line from its first command of cargo on: what stands before says when to run it, or runs it.
fn from_cargo(line: &str) -> &str {
    line.find("cargo ").map_or("", |start| &line[start..])
}

/// What is wrong with the commands on a line of a shell.
fn problems(files: &Files, xtask: &Command, line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let commands = line.split(['|', ';', '&']);
    let problems = commands.filter_map(|command| {
        let words = command.split_whitespace();
        let words: Vec<_> = words
            .skip_while(|word| *word == "$" || word.contains('='))
            .collect();
        match &words[..] {
            ["cargo", "xtask", arguments @ ..] => xtask_problem(xtask, arguments),
            ["cargo", arguments @ ..] => package_problem(files, arguments),
            [program, arguments @ ..] if program.rsplit('/').next() == Some("ecac") => {
                ecac_problem(files, arguments)
            }
            _ => None,
        }
    });
    problems.collect()
}

/// A subcommand or an option that xtask does not have.
fn xtask_problem(mut command: &Command, arguments: &[&str]) -> Option<String> {
    let mut is_value = false;
    let ends = ["--", ">", ">>", "<"];
    for word in arguments.iter().take_while(|word| !ends.contains(word)) {
        let name = command.get_name();
        if let Some(option) = word.strip_prefix("--") {
            let option = option.split('=').next();
            if !command.get_arguments().any(|it| it.get_long() == option) {
                return Some(format!(
                    "`{name}` has no option `{word}`; see `cargo xtask --help`"
                ));
            }
        } else if let Some(subcommand) = command.find_subcommand(word) {
            command = subcommand;
        } else if command.has_subcommands() && !is_value {
            return Some(format!(
                "`{name}` has no subcommand `{word}`; see `cargo xtask --help`"
            ));
        }
        is_value = word.starts_with("--");
    }
    None
}

/// A package that is no member of the workspace.
fn package_problem(files: &Files, arguments: &[&str]) -> Option<String> {
    let mut words = arguments.iter().take_while(|word| **word != "--");
    words.find(|word| ["-p", "--package"].contains(word))?;
    let package = words.next()?;
    let members = TomlFile::of_members(files);
    let mut names = members
        .iter()
        .map(|(_, member)| member.text(&["package", "name"]));
    let is_known = names.any(|name| name == Some(package));
    (!is_known).then(|| format!("there is no package `{package}`; name a member of the workspace"))
}

/// A command that `ecac` does not have. Its options are tested where its command line is.
fn ecac_problem(files: &Files, arguments: &[&str]) -> Option<String> {
    let command = arguments.first().filter(|word| !word.starts_with('-'))?;
    let module = format!("{ECAC_COMMANDS}/{}.rs", command.replace('-', "_"));
    let is_known = files.get(&module).is_some();
    (!is_known).then(|| format!("`ecac` has no command `{command}`; see `ecac --help`"))
}

#[test]
fn the_repository_keeps_it() {
    keeps(commands);
}

#[test]
fn breaches_are_found() {
    const PAGE: &str = "`cargo xtask gone`, `cargo xtask repro --gone`,\n`ecac gone`, `cargo test -p gone`.\n\n\
        ```\nRUST_BACKTRACE=1 cargo xtask golden --gone\ntarget/release/ecac log FILE | cargo xtask gone\n```\n";
    check(
        commands,
        &[("crates/cli/src/command/log.rs", ""), ("docs/a.md", PAGE)],
        &[
            "docs/a.md:1: `cargo xtask` has no subcommand `gone`",
            "docs/a.md:1: `repro` has no option `--gone`",
            "docs/a.md:2: `ecac` has no command `gone`",
            "docs/a.md:2: there is no package `gone`",
            "docs/a.md:5: `golden` has no option `--gone`",
            "docs/a.md:6: `cargo xtask` has no subcommand `gone`",
        ],
    );
}

#[test]
fn breaches_in_help_are_found() {
    fn of_an_example(files: &Files) -> Vec<Breach> {
        let c = Command::new("c").after_help("Examples:\n  cargo xtask a c\n  cargo xtask a b\n");
        let a = Command::new("a")
            .after_help("Examples:\n  cargo xtask a\n  cargo xtask gone\n")
            .subcommands([c, Command::new("d"), Command::new("e").hide(true)]);
        let mut xtask = Command::new("cargo xtask")
            .before_help("to begin   cargo xtask rerpo   with it")
            .subcommand(a);
        xtask.build();
        in_help(files, &xtask)
    }
    const SOURCE: &str = "help(&[\n    \"cargo xtask a\",\n    \"cargo xtask gone\",\n])\n";
    check(
        of_an_example,
        &[
            (MAIN, SOURCE),
            (
                "xtask/src/zebra.rs",
                "\"cargo xtask a c\",\n\"cargo xtask a b\",\n",
            ),
        ],
        &[
            "xtask/src/command/mod.rs:1: `cargo xtask` has no subcommand `rerpo`",
            "xtask/src/command/mod.rs:1: the help of `cargo xtask a d` has no example",
            "xtask/src/command/mod.rs:3: `cargo xtask` has no subcommand `gone`",
            "xtask/src/zebra.rs:2: `a` has no subcommand `b`",
        ],
    );
}

#[test]
fn good_commands_are_let_through() {
    const PAGE: &str = "`cargo xtask`, `cargo xtask --help`, `cargo xtask golden --help`, `cargo xtask help repro`,\n\
        `cargo xtask soak --histories N`, `cargo xtask repro --scenario=NAME`, `ecac`, `ecac --help`, `cargo xtask\nrepro`,\n\
        `cargo test -p a -- -p b`.\n\n\
        ```\n$ cargo xtask golden --update # gone\ncargo xtask verify-golden --format json | jq .differences\n\
        cargo xtask bundle --out FILE > a.log && target/release/ecac log FILE\n```\n";
    check(
        commands,
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("crates/cli/src/command/log.rs", ""),
            ("docs/a.md", PAGE),
        ],
        &[],
    );
}

#[test]
fn what_automation_runs_is_checked() {
    check(
        commands,
        &[
            (
                CI,
                "step cargo xtask audit --instal\nstep cargo xtask audit --install\n",
            ),
            (
                ".github/workflows/a.yml",
                "      - run: nix develop --command cargo xtask rerpo\n      - run: cargo xtask repro --offline\n",
            ),
        ],
        &[
            ".ci/run:1: `audit` has no option `--instal`",
            ".github/workflows/a.yml:1: `cargo xtask` has no subcommand `rerpo`",
        ],
    );
}
