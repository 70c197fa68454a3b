//! The course, gone with real nodes.

use std::path::Path;

use anyhow::Result;
use ecac_bench::{Course, Step};
use ecac_core::VerifiedOp;

use crate::held::Held;
use crate::machine::Machine;

/// What the nodes came to.
pub(crate) struct Walked {
    pub(crate) held: Vec<Held>,
    pub(crate) sessions: u64,
    pub(crate) killed: u64,
}

/// Three machines, and what was signed at each and is not in its store yet.
struct Walk {
    machines: Vec<Machine>,
    signed: Vec<Vec<VerifiedOp>>,
    allowed: Vec<String>,
}

/// Goes the course in an empty directory.
pub(crate) fn walk(course: &Course, program: &Path, dir: &Path) -> Result<Walked> {
    let machines = (1..)
        .zip(course.names)
        .map(|(number, name)| Machine::new(name, number, program, dir, course.project));
    let machines = machines.collect::<Result<Vec<_>>>()?;
    let allowed = machines.iter().map(|it| it.key().public().to_string());
    let mut walk = Walk {
        allowed: allowed.collect(),
        signed: vec![Vec::new(); machines.len()],
        machines,
    };
    let (mut sessions, mut killed) = (0, 0);
    walk.start()?;
    for step in &course.steps {
        match step {
            Step::Write { replica, op } => walk.signed[*replica].push(op.as_ref().clone()),
            Step::Meet { dialler, listener } => {
                walk.write(*dialler)?;
                walk.write(*listener)?;
                let peer = walk.machines[*listener].peer()?;
                walk.machines[*dialler].sync(peer)?;
                sessions += 1;
            }
            Step::CutOff { replica } => killed += u64::from(walk.machines[*replica].kill()),
            Step::Heal => walk.start()?,
        }
    }
    for number in 0..walk.machines.len() {
        walk.write(number)?;
        walk.machines[number].kill();
    }
    let held = walk.machines.iter().map(Machine::held);
    Ok(Walked {
        held: held.collect::<Result<_>>()?,
        sessions,
        killed,
    })
}

impl Walk {
    /// Starts the nodes that do not run.
    fn start(&mut self) -> Result<()> {
        for machine in &mut self.machines {
            if machine.peer().is_err() {
                machine.start(&self.allowed)?;
            }
        }
        Ok(())
    }

    /// Puts what was signed at a machine into its store.
    fn write(&mut self, number: usize) -> Result<()> {
        let ops = core::mem::take(&mut self.signed[number]);
        self.machines[number].write(&ops)
    }
}
