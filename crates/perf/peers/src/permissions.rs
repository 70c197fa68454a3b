//! Permissions: a root who adds members, and removes each again.
//!
//! To add one is a credential, whose signature is checked, and a grant here; there it is one operation.

use anyhow::{Context as _, Result};
use ecac_core::Payload;
use ecac_core::credential::Role;
use ecac_core::payload::Revoke;
use ecac_perf::engine::Engine;
use ecac_perf::workload::Project;
use p2panda_auth::Access;
use p2panda_auth::group::resolver::StrongRemove;
use p2panda_auth::group::{GroupAction, GroupCrdt, GroupCrdtState, GroupMember};
use p2panda_auth::traits::{IdentityHandle, Operation, OperationId};

use crate::{Pair, came_to, cost};

pub(crate) fn measure(seed: u64, members: usize) -> Result<Pair> {
    let mut project = Project::found("peers", seed);
    let setup = project.take_ops();
    for _ in 0..members {
        let member = project.enlist(&[Role::Editor], None);
        project.by_root(Payload::from(Revoke::of(member.public())));
    }
    let ops = project.take_ops();
    let begun = || {
        let mut engine = Engine::new(project.id());
        engine.take(setup.clone());
        (engine, ops.clone())
    };
    let take = |(mut engine, ops): (Engine, _)| {
        engine.take(ops);
        Ok(engine)
    };
    let (engine_ns, applied) = cost(begun, take, Engine::applied)?;
    came_to("ops applied", applied, setup.len() + ops.len())?;
    let operations = operations(members)?;
    let (peer_ns, left) = cost(
        || (),
        |()| processed(&operations),
        |it| it.members(GROUP).len(),
    )?;
    came_to("members left", left, 1)?;
    Ok(Pair {
        work: "permissions",
        count: members * 2,
        peer: "p2panda-auth",
        engine_ns,
        peer_ns,
    })
}

/// Somebody, or the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Who(u32);

impl IdentityHandle for Who {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Number(u32);

impl OperationId for Number {}

/// An operation of the root on the one before it.
#[derive(Debug, Clone)]
struct Change {
    number: u32,
    action: GroupAction<Who>,
}

const ROOT: Who = Who(0);
const GROUP: Who = Who(u32::MAX);

impl Operation<Who, Number> for Change {
    fn id(&self) -> Number {
        Number(self.number)
    }

    fn author(&self) -> Who {
        ROOT
    }

    fn dependencies(&self) -> Vec<Number> {
        self.number.checked_sub(1).map(Number).into_iter().collect()
    }

    fn group_id(&self) -> Who {
        GROUP
    }

    fn action(&self) -> GroupAction<Who> {
        self.action.clone()
    }
}

type State = GroupCrdtState<Who, Number, Change, ()>;
type Group = GroupCrdt<Who, Number, Change, (), StrongRemove<Who, Number, Change, ()>>;

fn operations(members: usize) -> Result<Vec<Change>> {
    let individual = GroupMember::Individual;
    let mut actions = vec![GroupAction::Create {
        initial_members: vec![(individual(ROOT), Access::manage())],
    }];
    for member in 1..=u32::try_from(members).context("so many members have no numbers")? {
        let member = individual(Who(member));
        actions.push(GroupAction::Add {
            member,
            access: Access::write(),
        });
        actions.push(GroupAction::Remove { member });
    }
    let numbered = (0..).zip(actions);
    Ok(numbered
        .map(|(number, action)| Change { number, action })
        .collect())
}

/// A group that processed the operations.
fn processed(operations: &[Change]) -> Result<State> {
    let mut group = Group::init();
    for operation in operations {
        let processed = Group::process(group, operation);
        group = processed.map_err(|why| anyhow::anyhow!("{why:?}"))?;
    }
    Ok(group)
}
