//! What a replica answers, held against what it exports and against itself.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::{Action, OpId, Place, PublicKey, Replica, Shown, Standing, Tags, Winner};
use serde_json::Value as Json;

use crate::meeting::{FIELDS, PEOPLE};
use crate::project::{author, name};

/// What every place shows.
pub(crate) fn everything_shown(replica: &Replica) -> BTreeMap<Place, Shown> {
    let mut shown = BTreeMap::new();
    for object in replica.objects("").iter() {
        for field in FIELDS {
            let place = |element: Option<&str>| Place {
                object: name(object),
                field: name(field),
                element: element.map(name),
            };
            if let Some(it) = replica.get(object, field).value {
                shown.insert(place(None), it);
            }
            for element in replica.set(object, field).value {
                shown.insert(place(Some(&element.name)), element.shown);
            }
        }
    }
    shown
}

/// The answers say what the export says.
pub(crate) fn answers_agree_with_the_export(replica: &Replica) {
    let state: Json = serde_json::from_slice(&replica.state()).expect("it is here");
    let objects = state["objects"].as_object().expect("it is here");
    let names: Vec<&String> = objects.keys().collect();
    assert_eq!(replica.objects("").iter().collect::<Vec<_>>(), names);
    let mut expected = BTreeMap::new();
    for (object, content) in objects {
        let members = ["fields", "sets"].map(|it| content[it].as_object().expect("it is here"));
        let fields: BTreeSet<&String> = members.iter().flat_map(|it| it.keys()).collect();
        let found = replica.fields(object);
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            fields.into_iter().collect::<Vec<_>>()
        );
        for (field, it) in content["fields"].as_object().expect("it is here") {
            expected.insert((object.clone(), field.clone(), None), it.clone());
        }
        for (field, elements) in content["sets"].as_object().expect("it is here") {
            for (element, it) in elements.as_object().expect("it is here") {
                let mut it = it.clone();
                let tags = it
                    .as_object_mut()
                    .expect("it is here")
                    .remove("tags")
                    .expect("it is here");
                let set = replica.set(object, field);
                let found = set
                    .iter()
                    .find(|it| it.name == *element)
                    .expect("it is here");
                assert_eq!(serde_json::json!(found.tags), tags);
                expected.insert((object.clone(), field.clone(), Some(element.clone())), it);
            }
        }
    }
    let shown = everything_shown(replica).into_iter().map(|(place, shown)| {
        let winner = |it: &Winner| serde_json::json!({ "op": it.op, "author": it.author, "value": it.value.to_json() });
        let winners: Vec<Json> = shown.winners.iter().map(winner).collect();
        let element = place.element.map(|it| it.to_string());
        let json = serde_json::json!({ "value": shown.value.to_json(), "winners": winners });
        ((place.object.to_string(), place.field.to_string(), element), json)
    });
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), expected);
}

/// A person without a link may edit exactly if a live grant of a fitting role is the person's.
pub(crate) fn members_agree_with_rights(replica: &Replica, now_ms: u64) {
    let tags: Tags = [name("tag")].into();
    let members = replica.members(now_ms).value;
    let is_device = |key: &PublicKey| {
        let mut devices = members.iter().flat_map(|it| &it.devices);
        devices.any(|it| it.key == *key)
    };
    let editors = replica.who_can(Action::Edit, &tags, now_ms).value;
    for person in (0..PEOPLE).map(author).filter(|it| !is_device(it)) {
        let member = members.iter().find(|it| it.person == person);
        let live = member.into_iter().flat_map(|it| &it.grants).filter(|it| {
            it.standing == Standing::Live && matches!(it.role, Role::Root | Role::Editor)
        });
        let expected: BTreeSet<OpId> = live.map(|it| it.grant).collect();
        let found = editors.iter().find(|(key, _)| *key == person);
        let found = found.map(|(_, allowed)| allowed.warrants.iter().map(|it| it.grant));
        let found: BTreeSet<OpId> = found.into_iter().flatten().collect();
        assert_eq!(found, expected);
    }
}
