//! Three nodes in network namespaces of their own, with a bridge between them: links are taken down and lose packets, and nodes are
//! killed, while all write.

use std::env;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::machine::{Machine, Running, agree, found};

/// Set for the test that runs in a namespace of its own.
const WITHIN: &str = "ECAC_NODES_WITHIN";
/// Ops that are written.
const WRITES: u64 = 60;
const PORT: u16 = 4919;

fn skipped(why: &str) {
    // Past the harness, which shows only the output of failed tests.
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

fn does(program: &str, args: &str) -> bool {
    let mut command = Command::new(program);
    command
        .args(args.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

#[track_caller]
fn ip(args: &str) {
    let output = Command::new("ip").args(args.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {args}: {said}");
}

/// A process that holds a namespace. Dropped, it ends.
struct Holder(Child);

impl Holder {
    fn new() -> Self {
        let mut command = Command::new("unshare");
        let holder = Self(command.args(["--net", "sleep", "600"]).spawn().unwrap());
        // It is in its namespace once it is `sleep`.
        let name = format!("/proc/{}/comm", holder.0.id());
        while std::fs::read_to_string(&name).unwrap() != "sleep\n" {
            sleep(Duration::from_millis(5));
        }
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Gives the machine a namespace, with a link to the bridge.
fn connect(machine: &mut Machine, number: u8) -> Holder {
    let holder = Holder::new();
    let process = holder.0.id();
    ip(&format!(
        "link add name link{number} type veth peer name near{number}"
    ));
    ip(&format!("link set near{number} netns {process}"));
    ip(&format!("link set link{number} master bridge0"));
    ip(&format!("link set link{number} up"));
    let near = |args: &str| {
        let args = format!("--target {process} --net -- ip {args}");
        assert!(does("nsenter", &args), "{args}");
    };
    near("link set lo up");
    near(&format!("address add 10.77.0.{number}/24 dev near{number}"));
    near(&format!("link set near{number} up"));
    machine.within = Some(process);
    machine.address = ([10, 77, 0, number], PORT).into();
    holder
}

#[test]
#[ignore = "two minutes, and needs network namespaces: cargo test -p ecac-net --features quic --test nodes -- --ignored"]
fn nodes_that_are_parted_and_killed_under_load_agree() {
    if env::var_os(WITHIN).is_some() {
        return within();
    }
    if !does(
        "unshare",
        "--map-root-user --net ip link add name bridge0 type bridge",
    ) {
        return skipped("this machine allows no network namespaces, or has no ip");
    }
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--"]);
    command.arg(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture"]);
    command.arg("namespaces::nodes_that_are_parted_and_killed_under_load_agree");
    let status = command.env(WITHIN, "1").status().unwrap();
    assert!(status.success(), "{status}");
}

/// Packets that the first link has lost.
fn dropped() -> u64 {
    let mut command = Command::new("tc");
    let output = command
        .args(["-s", "qdisc", "show", "dev", "link1"])
        .output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let (_, rest) = said.split_once("(dropped ").unwrap();
    rest.split(',').next().unwrap().parse().unwrap()
}

fn within() {
    ip("link add name bridge0 type bridge");
    ip("link set bridge0 up");
    let mut machines = [1, 2, 3].map(Machine::new);
    let holders: Vec<Holder> = (1..)
        .zip(&mut machines)
        .map(|(number, it)| connect(it, number))
        .collect();
    // Where packets are not lost at random, those are that are too many at a time.
    let is_lossy = ["netem loss 20%", "tbf rate 256kbit burst 3000 limit 4000"]
        .iter()
        .any(|it| does("tc", &format!("qdisc add dev link1 root {it}")));
    if !is_lossy {
        skipped("packets are not lost: there is no tc, or neither netem nor tbf in this kernel");
    }
    let [a, b, c] = &machines;
    let keys = found(&[a, b, c]);
    let all = [a, b, c];
    let start = |number: usize| {
        let peers: Vec<&Machine> = (0..3)
            .filter(|it| *it != number)
            .map(|it| all[it])
            .collect();
        all[number].start(&peers, &[], &[])
    };
    let mut running: Vec<Option<Running>> = (0..3).map(|it| Some(start(it))).collect();
    agree(&machines, 1);
    let link = |number: usize, state: &str| ip(&format!("link set link{} {state}", number + 1));
    for number in 0..WRITES {
        match number {
            // The third is cut off, and the second dies; then the first is cut off, and the third dies behind no partition.
            8 => link(2, "down"),
            16 | 44 => {
                let dies = if number == 16 { 1 } else { 2 };
                running[dies].take().unwrap().kill();
                running[dies] = Some(start(dies));
            }
            26 => link(2, "up"),
            34 => link(0, "down"),
            52 => link(0, "up"),
            _ => {}
        }
        let at = usize::try_from(number % 3).unwrap();
        all[at].write(&keys[at], number);
        sleep(Duration::from_millis(200));
    }
    if is_lossy {
        assert_ne!(dropped(), 0);
        assert!(does("tc", "qdisc del dev link1 root"));
    }
    let ops = WRITES + 1;
    let agreed = agree(&machines, ops);
    for node in running.into_iter().flatten() {
        assert!(node.stop().contains("\"stopped\""));
    }
    for machine in &machines {
        assert_eq!(machine.digest(), Some(agreed));
        machine.verify(ops);
    }
    drop(holders);
}
