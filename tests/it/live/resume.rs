//! Tests that an operation resumes after its cursor: nothing is lost, and nothing is repeated.

use serde_json::json;
use tenantry::domain::change::Change;

use super::*;
use crate::support::{
    app::{SECRET, Setup, on_both_stores},
    entities,
    world::World,
};

on_both_stores! {
    missed_changes_are_reported_once,
    missed_changes_are_reported_by_another_instance,
    deletion_during_a_disconnection_is_reported,
    deletion_after_a_removal_is_hidden,
    deletion_after_a_change_of_the_viewer_is_reported,
    missed_changes_of_the_list_are_those_of_a_member,
    other_tenants_do_not_fill_the_mailbox_of_a_member,
    cursor_is_valid_for_its_user_and_field_only,
    cursor_is_valid_for_the_secrets_of_the_operator_only,
}

/// A cursor is encrypted with the first secret, and decrypted with all.
async fn cursor_is_valid_for_the_secrets_of_the_operator_only(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "ada", TENANTS, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    live.event().await;
    let since = json!({"since": live.cursor});
    drop(live);
    rename(&app, world.acme.id, "Acme 3").await;
    let with_secrets = |secrets| Setup { secrets, ..Setup::default() };
    let app = app.restart_with(with_secrets(vec![[8; 32], SECRET])).await;
    let mut live = Live::start(&app, "ada", TENANTS, since.clone()).await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Acme 3");
    drop(live);
    let app = app.restart_with(with_secrets(vec![[8; 32]])).await;
    let rejected = Live::try_start(&app, "ada", TENANTS, since).await.err().expect("a rejection");
    assert_eq!(code(&rejected), "BAD_USER_INPUT");
    assert_eq!(rejected["errors"][0]["extensions"]["fields"][0]["path"], "since", "{rejected}");
}

async fn missed_changes_are_reported_once(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "ada", TENANTS, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    live.event().await;
    let since = json!({"since": live.cursor});
    drop(live);
    rename(&app, world.globex.id, "Globex 2").await;
    rename(&app, world.acme.id, "Acme 3").await;
    rename(&app, world.acme.id, "Acme 4").await;
    let mut live = Live::start(&app, "ada", TENANTS, since).await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Globex 2");
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Acme 4");
    let since = json!({"since": live.cursor});
    let mut again = Live::start(&app, "ada", TENANTS, since).await;
    rename(&app, world.initech.id, "Initech 2").await;
    for live in [&mut live, &mut again] {
        assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Initech 2");
    }
}

/// The other instance has no events in memory, so it reads them from the store.
async fn missed_changes_are_reported_by_another_instance(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", SUBSCRIPTION, id_of(world.acme.id)).await;
    let mut me = Live::start(&app, "carol", ME, json!({})).await;
    let id = world.subscription.to_string();
    mutate(&app, "ada", "updateSubscription", json!({"id": id, "status": "PAST_DUE"})).await;
    live.event().await;
    mutate(&app, "ada", "updateUser", json!({"id": world.carol.to_string(), "name": "C"})).await;
    me.event().await;
    let since = json!({"id": world.acme.id.to_string(), "since": live.cursor});
    let me_since = json!({"since": me.cursor});
    drop((live, me));
    mutate(&app, "ada", "updateUser", json!({"id": world.carol.to_string(), "name": "C 2"})).await;
    mutate(&app, "ada", "deleteSubscription", json!({"id": id})).await;
    let app = app.restart().await;
    let mut live = Live::start(&app, "carol", SUBSCRIPTION, since).await;
    assert_eq!(
        live.event().await["subscriptionChanged"],
        json!({"kind": "DELETED", "subscriptionId": id, "subscription": null})
    );
    let mut me = Live::start(&app, "carol", ME, me_since).await;
    assert_eq!(me.event().await["meChanged"]["name"], "C 2");
    let input = json!({"tenantId": world.acme.id.to_string(), "plan": "STARTER"});
    mutate(&app, "ada", "createSubscription", input).await;
    assert_eq!(live.event().await["subscriptionChanged"]["kind"], "CREATED");
}

async fn deletion_during_a_disconnection_is_reported(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANT, id_of(world.globex.id)).await;
    rename(&app, world.globex.id, "Globex 2").await;
    live.event().await;
    let since = json!({"id": world.globex.id.to_string(), "since": live.cursor});
    drop(live);
    rename(&app, world.globex.id, "Globex 3").await;
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    let mut live = Live::start(&app, "carol", TENANT, since).await;
    assert_eq!(live.event().await["tenantChanged"]["kind"], "DELETED");
    assert_eq!(live.end().await, None);
}

async fn deletion_after_a_removal_is_hidden(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANT, id_of(world.globex.id)).await;
    rename(&app, world.globex.id, "Globex 2").await;
    live.event().await;
    let since = json!({"id": world.globex.id.to_string(), "since": live.cursor});
    drop(live);
    let input = json!({"tenantId": world.globex.id.to_string(), "userId": world.carol.to_string()});
    mutate(&app, "ada", "removeTenantMember", input).await;
    let removed = Live::try_start(&app, "carol", TENANT, since.clone()).await.err();
    assert_eq!(code(&removed.expect("a rejection")), "NOT_FOUND");
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    let mut live = Live::start(&app, "carol", TENANT, since).await;
    assert_eq!(live.end().await.as_deref(), Some("NOT_FOUND"));
}

async fn deletion_after_a_change_of_the_viewer_is_reported(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANT, id_of(world.globex.id)).await;
    rename(&app, world.globex.id, "Globex 2").await;
    live.event().await;
    let since = json!({"id": world.globex.id.to_string(), "since": live.cursor});
    drop(live);
    mutate(&app, "ada", "updateUser", json!({"id": world.carol.to_string(), "name": "C"})).await;
    mutate(&app, "ada", "deleteTenant", id_of(world.globex.id)).await;
    let mut live = Live::start(&app, "carol", TENANT, since).await;
    assert_eq!(live.event().await["tenantChanged"]["kind"], "DELETED");
    assert_eq!(live.end().await, None);
    let since = json!({"id": world.globex.id.to_string(), "since": live.cursor});
    let mut again = Live::try_start(&app, "carol", TENANT, since).await;
    let code = match &mut again {
        Ok(live) => live.end().await,
        Err(rejected) => Some(code(rejected)),
    };
    assert_eq!(code.as_deref(), Some("NOT_FOUND"), "nothing is repeated");
}

/// Each step is taken in three ways: while the operation runs, while it is interrupted, and while it is
/// interrupted and the gateway is restarted. The client must get the same.
async fn missed_changes_of_the_list_are_those_of_a_member(app: App) {
    let world = World::new(&app).await;
    let tenants = ["a-1", "a-2", "a-3", "a-4", "a-5"];
    let mut ids = Vec::new();
    for slug in tenants {
        let document = "mutation($input: CreateTenantInput!) { \
            createTenant(input: $input) { tenant { id } } }";
        let input = json!({"input": {"slug": slug, "name": slug}});
        let reply = app.query_with_variables(&app.token("ada", []), document, input).await;
        ids.push(reply.data()["createTenant"]["tenant"]["id"].as_str().expect("an id").to_owned());
    }
    let member = |id: &str| json!({"tenantId": id, "userId": world.carol.to_string()});
    for id in &ids[..3] {
        mutate(&app, "ada", "addTenantMember", member(id)).await;
    }
    let mut before = Live::start(&app, "carol", TENANTS, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    before.event().await;
    let since = json!({"since": before.cursor});
    // The viewer is a member until the deletion.
    mutate(&app, "ada", "updateUser", json!({"id": world.carol.to_string(), "name": "C"})).await;
    mutate(&app, "ada", "deleteTenant", json!({"id": ids[0]})).await;
    // The viewer loses the membership before the deletion.
    mutate(&app, "ada", "removeTenantMember", member(&ids[1])).await;
    rename(&app, &ids[1], "Lost").await;
    mutate(&app, "ada", "deleteTenant", json!({"id": ids[1]})).await;
    // The viewer loses the membership and gets it again.
    mutate(&app, "ada", "removeTenantMember", member(&ids[2])).await;
    mutate(&app, "ada", "addTenantMember", member(&ids[2])).await;
    mutate(&app, "ada", "deleteTenant", json!({"id": ids[2]})).await;
    // The viewer was never a member.
    mutate(&app, "ada", "deleteTenant", json!({"id": ids[3]})).await;
    // The viewer becomes a member.
    mutate(&app, "ada", "addTenantMember", member(&ids[4])).await;
    rename(&app, &ids[4], "Gained").await;
    rename(&app, world.acme.id, "Acme 3").await;
    let expected = [
        ("DELETED", ids[0].clone()),
        ("DELETED", ids[2].clone()),
        ("UPDATED", ids[4].clone()),
        ("UPDATED", world.acme.id.to_string()),
    ];
    let mut interrupted = Live::start(&app, "carol", TENANTS, since.clone()).await;
    let mut cursors = Vec::new();
    for live in [&mut before, &mut interrupted] {
        for (kind, id) in &expected {
            let event = live.event().await["tenantsChanged"].take();
            assert_eq!((&event["kind"], &event["tenantId"]), (&json!(kind), &json!(id)));
            cursors.push(live.cursor.clone());
        }
    }
    drop((before, interrupted));
    let app = app.restart().await;
    // From each cursor on, the client gets the rest.
    let first = since["since"].as_str().map(ToOwned::to_owned);
    for (delivered, cursor) in std::iter::once(first).chain(cursors).enumerate() {
        let rest =
            if delivered == 0 { &expected[..] } else { &expected[(delivered - 1) % 4 + 1..] };
        let mut live = Live::start(&app, "carol", TENANTS, json!({"since": cursor})).await;
        for (kind, id) in rest {
            let event = live.event().await["tenantsChanged"].take();
            assert_eq!((&event["kind"], &event["tenantId"]), (&json!(kind), &json!(id)));
        }
        let name = format!("Acme {delivered}");
        rename(&app, world.globex.id, &name).await;
        assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], name);
    }
}

/// More tenants change than a mailbox can have.
async fn other_tenants_do_not_fill_the_mailbox_of_a_member(app: App) {
    const CHANGES: u32 = 4_200;
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "carol", TENANTS, json!({})).await;
    rename(&app, world.acme.id, "Acme 2").await;
    live.event().await;
    let since = json!({"since": live.cursor});
    drop(live);
    let others: Vec<_> = (1_000..1_000 + CHANGES).map(entities::tenant).collect();
    for batch in others.chunks(700) {
        let inserts: Vec<_> = batch.iter().cloned().map(Change::InsertTenant).collect();
        app.store.commit(&inserts).await.expect("committed");
    }
    rename(&app, world.acme.id, "Acme 3").await;
    let mut live = Live::start(&app, "carol", TENANTS, since.clone()).await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Acme 3");
    drop(live);
    let mut live = Live::start(&app.restart().await, "carol", TENANTS, since).await;
    assert_eq!(live.event().await["tenantsChanged"]["tenant"]["name"], "Acme 3");
}

async fn cursor_is_valid_for_its_user_and_field_only(app: App) {
    let world = World::new(&app).await;
    let mut live = Live::start(&app, "bob", TENANT, id_of(world.acme.id)).await;
    rename(&app, world.acme.id, "Acme 2").await;
    live.event().await;
    let cursor = live.cursor.expect("a cursor");
    let of = |id: &str, since: &str| json!({"id": id, "since": since});
    let (acme, initech) = (world.acme.id.to_string(), world.initech.id.to_string());
    for (subject, document, variables) in [
        ("carol", TENANT, of(&acme, &cursor)),
        ("bob", TENANT, of(&initech, &cursor)),
        ("bob", SUBSCRIPTION, of(&acme, &cursor)),
        ("bob", TENANTS, json!({"since": &cursor})),
        ("bob", TENANT, of(&acme, &cursor[1..])),
        ("bob", TENANT, of(&acme, "")),
        ("bob", TENANT, of(&acme, "AQID")),
    ] {
        let rejected = Live::try_start(&app, subject, document, variables).await.err();
        let rejected = rejected.expect("a rejection");
        assert_eq!(code(&rejected), "BAD_USER_INPUT", "{subject} {document}");
        assert_eq!(rejected["errors"][0]["extensions"]["fields"][0]["path"], "since");
    }
    // A hidden tenant is not found, whatever the cursor.
    let rejected = Live::try_start(&app, "mallory", TENANT, of(&acme, &cursor)).await.err();
    assert_eq!(code(&rejected.expect("a rejection")), "NOT_FOUND");
    Live::start(&app, "bob", TENANT, of(&acme, &cursor)).await;
}
