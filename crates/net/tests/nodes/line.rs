//! Three nodes in a line on this machine, of which the middle one is killed again and again while the first one writes; and who is
//! let in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use crate::machine::{Machine, agree, found};

/// Ops that are written while nodes come and go.
const WRITES: u64 = 60;
/// How often the middle node is killed.
const KILLS: u64 = 4;

#[test]
fn nodes_that_are_killed_and_come_back_agree() {
    let machines = [1, 2, 3].map(Machine::new);
    let [first, middle, last] = &machines;
    let keys = found(&[first, middle, last]);
    let one = first.start(&[], &[middle], &["--metrics", "127.0.0.1:0"]);
    let three = last.start(&[middle], &[], &[]);
    let begin = || middle.start(&[first], &[last], &[]);
    let mut two = begin();
    for number in 0..WRITES {
        first.write(&keys[0], number);
        if number % (WRITES / KILLS) == WRITES / KILLS - 1 {
            two.kill();
            two = begin();
        }
    }
    let wanted = WRITES + 1;
    let agreed = agree(&machines, wanted);
    let mut stream = TcpStream::connect(one.metrics.unwrap()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).unwrap();
    assert!(
        metrics.contains("ecac_sessions_finished_total "),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for node in [one, two, three] {
        assert!(node.stop().contains("\"stopped\""));
    }
    for machine in &machines {
        assert_eq!(machine.digest(), Some(agreed));
        machine.verify(wanted);
    }
}

#[test]
fn who_is_not_let_in_learns_nothing_and_who_is_syncs_once() {
    let machines = [4, 5, 6].map(Machine::new);
    let [host, guest, stranger] = &machines;
    let keys = found(&[host, guest, stranger]);
    host.write(&keys[0], 0);
    let node = host.start(&[], &[guest], &[]);
    let sync = |machine: &Machine| {
        let peer = host.peer();
        machine.command(&["sync", &peer]).output().unwrap()
    };
    let refused = sync(stranger);
    assert!(!refused.status.success());
    assert_eq!(stranger.digest().unwrap().0, 0);
    let synced = sync(guest);
    let said = String::from_utf8(synced.stdout).unwrap();
    assert_eq!(said, "received 2 ops, sent 0\n");
    assert_eq!(guest.digest(), host.digest());
    // Another node at the address is not the one that was meant.
    let other = format!("{}@{}", stranger.key(), host.address);
    let output = guest.command(&["sync", &other]).output().unwrap();
    assert!(!output.status.success());
    assert!(node.stop().contains("\"refused\""));
}

#[test]
fn a_session_is_carried_for_who_has_it() {
    let machines = [7, 8].map(Machine::new);
    let [host, guest] = &machines;
    found(&[host, guest]);
    let node = host.start(&[], &[guest], &[]);
    let carry = |peer: &str, said: &[u8]| {
        let mut command = guest.command(&["carry", peer]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Who is not reached reads nothing.
        drop(stdin.write_all(said));
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    // The peer is reached, which is said first; it breaks off what begins no session, and has nothing to say.
    let reached = carry(&host.peer(), &[0, 0, 0, 1, 7]);
    assert_eq!(reached.stdout, [0; 4]);
    // Another node at the address is not reached.
    let other = format!("{}@{}", guest.key(), host.address);
    let refused = carry(&other, b"");
    assert!(!refused.status.success());
    assert_eq!(refused.stdout, b"");
    // Another project is another one.
    let mut command = guest.command(&["sync", &host.peer(), "--project", &"00".repeat(32)]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("open the project: it is "),
        "{said}"
    );
    assert!(node.stop().contains("it begins no session"));
}
