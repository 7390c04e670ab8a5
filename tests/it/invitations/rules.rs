//! Tests what the mutations change, and the inputs that they reject.

use serde_json::json;
use tenantry::{
    clock::Clock,
    domain::{
        change::Change,
        id::InvitationId,
        invitation::{Invitation, InvitationStatus, MailStatus},
        outbox::{LeaseResult, OutboxLease, OutboxTopic},
        user::TenantRole,
    },
    store::InvitationKeys,
};

use super::{accept, actions, change, error, invite, preview, run, run_with_key};
use crate::support::{
    app::{App, Backend, Setup, on_both_stores},
    world::{self, World},
};

on_both_stores! {
    invitation_has_a_token_and_a_link,
    invalid_inputs_are_reported_together,
    address_has_one_pending_invitation,
    address_of_a_member_is_a_conflict,
    tenant_has_a_maximum_of_pending_invitations,
    expired_invitation_makes_room_for_another,
    renewed_invitation_has_another_token,
    renewal_of_an_expired_invitation_counts,
    revoked_invitation_stays_revoked,
    accepted_invitation_cannot_change,
    invitations_are_listed_newest_first,
    deleted_tenant_takes_its_invitations_along,
    repeat_with_a_key_has_no_token,
    history_names_each_change,
}

async fn invitation_has_a_token_and_a_link(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, " New@Bücher.Example ", "ADMIN").await;
    let token = invited["token"].as_str().expect("a token");
    assert_eq!(token.len(), 59);
    assert_eq!(invited["acceptUrl"], format!("https://portal.example.org/i/{token}"));
    assert_eq!(
        invited["invitation"],
        json!({"id": invited["invitation"]["id"], "email": "new@xn--bcher-kva.example",
            "role": "ADMIN", "status": "PENDING", "mail": "NONE", "version": 1,
            "expiresAt": "2026-01-08T00:00:00.000Z"})
    );
    let id = invited["invitation"]["id"].as_str().expect("an identifier");
    let query = format!(
        "{{ node(id: \"{id}\") {{ id ... on Invitation {{ tenant {{ slug }} \
        invitedBy {{ name }} acceptedBy {{ name }} acceptedAt createdAt }} }} }}"
    );
    let reply = app.query_as("bob", &query).await;
    assert_eq!(
        reply.data()["node"],
        json!({"id": id, "tenant": {"slug": "acme"}, "invitedBy": {"name": "Bob"},
            "acceptedBy": null, "acceptedAt": null, "createdAt": "2026-01-01T00:00:00.000Z"})
    );
    for subject in ["carol", "mallory"] {
        assert_eq!(app.query_as(subject, &query).await.data()["node"], json!(null), "{subject}");
    }
}

async fn invalid_inputs_are_reported_together(app: App) {
    let world = World::new(&app).await;
    for (email, days) in [("x", 0), ("", 31), ("a@b@c.example", -1), ("ada@127.0.0.1", i32::MAX)] {
        let input = json!({"tenantId": world.acme.id.to_string(), "email": email,
            "expiresInDays": days});
        let reply = run(&app, "bob", "inviteTenantMember", input).await;
        let fields = error(&reply)["fields"].clone();
        assert_eq!(
            [&fields[0]["path"], &fields[1]["path"]],
            ["input.email", "input.expiresInDays"],
            "{email}: {}",
            reply.body
        );
    }
    for (days, end) in [(1, "2026-01-02"), (30, "2026-01-31")] {
        let input = json!({"tenantId": world.acme.id.to_string(), "expiresInDays": days,
            "email": format!("d{days}@example.org")});
        let reply = run(&app, "bob", "inviteTenantMember", input).await;
        let expires = reply.data()["x"]["invitation"]["expiresAt"].as_str().expect("a time");
        assert!(expires.starts_with(end), "{expires}");
    }
}

async fn address_has_one_pending_invitation(app: App) {
    let world = World::new(&app).await;
    let first = invite(&app, "bob", world.acme.id, "new@bücher.example", "MEMBER").await;
    for email in ["NEW@Bücher.Example", "new@xn--bcher-kva.example"] {
        let input = json!({"tenantId": world.acme.id.to_string(), "email": email});
        let reply = run(&app, "bob", "inviteTenantMember", input).await;
        assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "email"}), "{email}");
        assert_eq!(reply.writes, 0);
    }
    // Another tenant, and an address that only looks alike.
    invite(&app, "carol", world.globex.id, "new@bücher.example", "MEMBER").await;
    invite(&app, "bob", world.acme.id, "n\u{435}w@bücher.example", "MEMBER").await;
    change(&app, "bob", "revokeInvitation", &first).await.data();
    invite(&app, "bob", world.acme.id, "new@bücher.example", "MEMBER").await;
}

async fn address_of_a_member_is_a_conflict(app: App) {
    let world = World::new(&app).await;
    app.edit_user("carol", |user| user.email = Some("Carol@Bücher.example".to_owned())).await;
    for email in ["carol@bücher.example", "CAROL@xn--bcher-kva.example", "bob@Example.org"] {
        let input = json!({"tenantId": world.acme.id.to_string(), "email": email});
        let reply = run(&app, "bob", "inviteTenantMember", input).await;
        assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "email"}), "{email}");
    }
    // mallory is a user, but no member. bob cannot learn that from the answer.
    invite(&app, "bob", world.acme.id, "mallory@example.org", "MEMBER").await;
    invite(&app, "bob", world.acme.id, "carol@bücher.exampl", "MEMBER").await;
}

/// Stores pending invitations of a tenant.
async fn fill(app: &App, world: &World, count: u32) {
    let invitation = |n: u32| Invitation {
        id: world::id(10_000 + n),
        tenant_id: world.acme.id,
        email: format!("p{n}@example.org"),
        role: TenantRole::Member,
        status: InvitationStatus::Pending,
        mail: MailStatus::None,
        generation: 1,
        invited_by: world.bob,
        accepted_by: None,
        accepted_at: None,
        expires_at: world::ago(-1000),
        version: 1,
        created_at: world::ago(10),
    };
    let changes: Vec<_> = (0..count).map(invitation).map(Change::InsertInvitation).collect();
    app.store.commit(&changes).await.expect("committed");
}

async fn tenant_has_a_maximum_of_pending_invitations(app: App) {
    let world = World::new(&app).await;
    fill(&app, &world, 499).await;
    let input = |email: &str| json!({"tenantId": world.acme.id.to_string(), "email": email});
    // The limit comes after the conflict.
    invite(&app, "bob", world.acme.id, "last@example.org", "MEMBER").await;
    let conflict = run(&app, "bob", "inviteTenantMember", input("last@example.org")).await;
    assert_eq!(error(&conflict)["code"], "CONFLICT");
    let reply = run(&app, "bob", "inviteTenantMember", input("more@example.org")).await;
    assert_eq!(
        error(&reply),
        json!({"code": "LIMIT_EXCEEDED", "limit": "pendingInvitations", "max": 500, "actual": 501})
    );
    assert_eq!(reply.writes, 0);
    // Other tenants are not affected, and neither is the renewal of a pending one.
    invite(&app, "carol", world.globex.id, "more@example.org", "MEMBER").await;
    let id = InvitationId::new(world::id::<()>(10_000).raw);
    run(&app, "bob", "resendInvitation", json!({"id": id.to_string()})).await.data();
    // The invitations that have expired no longer count.
    app.clock.advance(1000);
    invite(&app, "bob", world.acme.id, "more@example.org", "MEMBER").await;
    let list = "{ tenant(slug: \"acme\") { invitations(status: [PENDING]) { totalCount } } }";
    let reply = app.query_as("bob", list).await;
    assert_eq!(reply.data()["tenant"]["invitations"]["totalCount"], 3);
}

async fn expired_invitation_makes_room_for_another(app: App) {
    let world = World::new(&app).await;
    let first = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    app.clock.advance(7 * 86_400);
    let second = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let list = "{ tenant(slug: \"acme\") { invitations { nodes { id status version } } } }";
    let nodes = app.query_as("bob", list).await.data()["tenant"]["invitations"]["nodes"].clone();
    assert_eq!(
        nodes,
        json!([{"id": second["invitation"]["id"], "status": "PENDING", "version": 1},
            {"id": first["invitation"]["id"], "status": "EXPIRED", "version": 1}])
    );
    // The expired one cannot be renewed beside the other.
    let reply = change(&app, "bob", "resendInvitation", &first).await;
    assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "email"}));
    app.clock.advance(7 * 86_400);
    change(&app, "bob", "resendInvitation", &first).await.data();
    let reply = change(&app, "bob", "resendInvitation", &second).await;
    assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "email"}));
}

async fn renewed_invitation_has_another_token(app: App) {
    let world = World::new(&app).await;
    let first = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let id = first["invitation"]["id"].clone();
    let stale = run(&app, "ada", "resendInvitation", json!({"id": id, "version": 2})).await;
    assert_eq!(error(&stale), json!({"code": "STALE_VERSION", "currentVersion": 1}));
    let input = json!({"id": id, "version": 1, "expiresInDays": 30});
    let renewed = run(&app, "ada", "resendInvitation", input).await.data()["x"].clone();
    assert_ne!(renewed["token"], first["token"]);
    assert_eq!(renewed["invitation"]["version"], 2);
    assert_eq!(renewed["invitation"]["expiresAt"], "2026-01-31T00:00:00.000Z");
    assert_eq!(accept(&app, "new", &first).await.codes(), ["NOT_FOUND"]);
    // ada is the inviter now. bob's rights no longer matter.
    app.edit_user("bob", |user| user.memberships.clear()).await;
    assert_eq!(accept(&app, "new", &renewed).await.data()["x"]["membership"]["role"], "MEMBER");
}

async fn renewal_of_an_expired_invitation_counts(app: App) {
    let world = World::new(&app).await;
    let first = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    app.clock.advance(7 * 86_400);
    let at = |n: i64| world::ago(n - 8 * 86_400);
    let changes: Vec<_> = (0..500)
        .map(|n| {
            Change::InsertInvitation(Invitation {
                id: world::id(20_000 + n),
                tenant_id: world.acme.id,
                email: format!("q{n}@example.org"),
                role: TenantRole::Member,
                status: InvitationStatus::Pending,
                mail: MailStatus::None,
                generation: 1,
                invited_by: world.bob,
                accepted_by: None,
                accepted_at: None,
                expires_at: at(0),
                version: 1,
                created_at: at(10),
            })
        })
        .collect();
    app.store.commit(&changes).await.expect("committed");
    let reply = change(&app, "bob", "resendInvitation", &first).await;
    assert_eq!(error(&reply)["limit"], "pendingInvitations");
}

async fn revoked_invitation_stays_revoked(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let reply = change(&app, "bob", "revokeInvitation", &invited).await;
    let revoked = reply.data()["x"]["invitation"].clone();
    assert_eq!((&revoked["status"], &revoked["version"]), (&json!("REVOKED"), &json!(2)));
    let again = change(&app, "bob", "revokeInvitation", &invited).await;
    assert_eq!(again.data()["x"]["invitation"], revoked);
    assert_eq!(again.writes, 0);
    let reply = change(&app, "bob", "resendInvitation", &invited).await;
    assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "id"}));
    assert_eq!(accept(&app, "new", &invited).await.codes(), ["NOT_FOUND"]);
    // An expired one can be revoked, too.
    let expired = invite(&app, "bob", world.acme.id, "old@example.org", "MEMBER").await;
    app.clock.advance(7 * 86_400);
    let reply = change(&app, "bob", "revokeInvitation", &expired).await;
    assert_eq!(reply.data()["x"]["invitation"]["status"], "REVOKED");
}

async fn accepted_invitation_cannot_change(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    accept(&app, "new", &invited).await.data();
    for name in ["resendInvitation", "revokeInvitation"] {
        let reply = change(&app, "bob", name, &invited).await;
        assert_eq!(error(&reply), json!({"code": "CONFLICT", "field": "id"}), "{name}");
    }
    let list = "{ tenant(slug: \"acme\") { invitations { nodes { status version acceptedAt \
        acceptedBy { email } } } } }";
    let reply = app.query_as("bob", list).await;
    assert_eq!(
        reply.data()["tenant"]["invitations"]["nodes"][0],
        json!({"status": "ACCEPTED", "version": 2, "acceptedAt": "2026-01-01T00:00:00.000Z",
            "acceptedBy": {"email": "new@example.org"}})
    );
}

async fn invitations_are_listed_newest_first(app: App) {
    let world = World::new(&app).await;
    let mut invited = Vec::new();
    for n in 0..5 {
        let email = format!("n{n}@example.org");
        invited.push(invite(&app, "bob", world.acme.id, &email, "MEMBER").await);
        app.clock.advance(1);
    }
    invite(&app, "carol", world.globex.id, "other@example.org", "MEMBER").await;
    change(&app, "bob", "revokeInvitation", &invited[1]).await.data();
    accept(&app, "n2", &invited[2]).await.data();
    let list = |arguments: &str| {
        let query = format!(
            "{{ tenant(slug: \"acme\") {{ invitations({arguments}) {{ totalCount \
            nodes {{ email }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
        );
        let app = &app;
        async move { app.query_as("bob", &query).await.data()["tenant"]["invitations"].clone() }
    };
    let emails = |page: &serde_json::Value| -> Vec<String> {
        let nodes = page["nodes"].as_array().expect("nodes").iter();
        nodes.map(|node| node["email"].as_str().expect("text")[..2].to_owned()).collect()
    };
    let first = list("first: 2").await;
    assert_eq!((emails(&first), &first["totalCount"]), (vec!["n4".into(), "n3".into()], &json!(5)));
    let after = first["pageInfo"]["endCursor"].as_str().expect("a cursor");
    assert_eq!(emails(&list(&format!("first: 3, after: \"{after}\"")).await), ["n2", "n1", "n0"]);
    assert_eq!(emails(&list("last: 1").await), ["n0"]);
    assert_eq!(emails(&list("status: [PENDING]").await), ["n4", "n3", "n0"]);
    assert_eq!(emails(&list("status: [ACCEPTED, REVOKED]").await), ["n2", "n1"]);
    app.clock.advance(7 * 86_400 - 2);
    assert_eq!(emails(&list("status: [PENDING]").await), ["n4"]);
    let expired = list("status: [EXPIRED]").await;
    assert_eq!(
        (emails(&expired), &expired["totalCount"]),
        (vec!["n3".into(), "n0".into()], &json!(2))
    );
}

async fn deleted_tenant_takes_its_invitations_along(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    let id = invited["invitation"]["id"].as_str().and_then(InvitationId::parse).expect("an id");
    run(&app, "ada", "deleteTenant", json!({"id": world.acme.id.to_string()})).await.data();
    let stored = app.store.invitations(InvitationKeys::Ids(&[id])).await.expect("a read");
    assert_eq!(stored, []);
    assert_eq!(accept(&app, "new", &invited).await.codes(), ["NOT_FOUND"]);
}

async fn repeat_with_a_key_has_no_token(app: App) {
    let world = World::new(&app).await;
    let input = json!({"tenantId": world.acme.id.to_string(), "email": "new@example.org"});
    let first = run_with_key(&app, "bob", "k", "inviteTenantMember", input.clone()).await;
    let token = first.data()["x"]["token"].as_str().expect("a token").to_owned();
    for _ in 0..2 {
        let repeat = run_with_key(&app, "bob", "k", "inviteTenantMember", input.clone()).await;
        assert_eq!(
            repeat.data()["x"],
            json!({"invitation": first.json["data"]["x"]["invitation"], "token": null,
                "acceptUrl": null})
        );
        assert_eq!(repeat.writes, 0);
    }
    let invited = json!({"token": token});
    let bob = accept(&app, "new", &invited).await;
    bob.data();
    assert_eq!(actions(&app).await.iter().filter(|a| *a == "invitation.create").count(), 1);
    // An acceptance with a key is repeated like any other mutation.
    let invited = invite(&app, "bob", world.acme.id, "mallory@example.org", "ADMIN").await;
    let input = json!({"token": invited["token"]});
    let first = run_with_key(&app, "mallory", "k", "acceptInvitation", input.clone()).await;
    assert_eq!(first.data()["x"]["membership"]["role"], "ADMIN");
    let repeat = run_with_key(&app, "mallory", "k", "acceptInvitation", input).await;
    assert_eq!((repeat.body, repeat.writes), (first.body, 0));
}

async fn history_names_each_change(app: App) {
    let world = World::new(&app).await;
    let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
    app.clock.advance(1);
    let renewed = change(&app, "bob", "resendInvitation", &invited).await.data()["x"].clone();
    app.clock.advance(1);
    accept(&app, "new", &renewed).await.data();
    let log = "{ tenant(slug: \"acme\") { auditLog(first: 3) { nodes { action changes actor { name } \
        target { id } } } } }";
    let reply = app.query_as("bob", log).await;
    let nodes = reply.data()["tenant"]["auditLog"]["nodes"].clone();
    let path = format!("memberships.{}", world.acme.id);
    assert_eq!(
        nodes[0],
        json!({"action": "invitation.accept", "actor": {"name": "new"},
            "target": {"id": invited["invitation"]["id"]},
            "changes": {"status": {"from": "PENDING", "to": "ACCEPTED"},
                &path: {"from": null, "to": "MEMBER"},
                format!("{path}.source"): {"from": null, "to": "DIRECT"}}})
    );
    assert_eq!(nodes[1]["action"], "invitation.resend");
    assert_eq!(
        nodes[1]["changes"],
        json!({"expiresAt": {"from": "2026-01-08T00:00:00.000Z", "to": "2026-01-08T00:00:01.000Z"}})
    );
    assert_eq!(nodes[2]["changes"]["email"], json!({"from": null, "to": "new@example.org"}));
}

/// Without a secret, there are no invitations.
#[tokio::test]
async fn invitations_need_a_secret() {
    let app = App::with(Backend::Sqlite, Setup { secrets: Vec::new(), ..Setup::default() }).await;
    let world = World::new(&app).await;
    let id = "inv_65000000000000000000ffff";
    for (name, input) in [
        (
            "inviteTenantMember",
            json!({"tenantId": world.acme.id.to_string(), "email": "a@b.example"}),
        ),
        ("resendInvitation", json!({"id": id})),
        ("revokeInvitation", json!({"id": id})),
        ("acceptInvitation", json!({"token": "x"})),
    ] {
        let reply = run(&app, "bob", name, input).await;
        assert_eq!((reply.codes(), reply.writes), (vec!["UNAVAILABLE"], 0), "{name}");
    }
    assert_eq!(preview(&app, "bob", "x").await.data()["invitation"], json!(null));
    let list = "{ tenant(slug: \"acme\") { invitations { nodes { id } } } }";
    let reply = app.query_as("bob", list).await;
    assert_eq!(reply.data()["tenant"]["invitations"]["nodes"], json!([]));
}

/// The message is queued in the commit of its invitation.
#[tokio::test]
async fn mail_is_queued_if_it_is_configured() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let app = App::with(backend, Setup { sends_mail: true, ..Setup::default() }).await;
        let world = World::new(&app).await;
        let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
        assert_eq!(invited["invitation"]["mail"], "QUEUED");
        change(&app, "bob", "resendInvitation", &invited).await.data();
        let id = invited["invitation"]["id"].as_str().and_then(InvitationId::parse).expect("an id");
        let mut revisions = Vec::new();
        for n in 1..3 {
            let lease = OutboxLease { id: world::id::<()>(n).raw, now: app.clock.now() };
            let LeaseResult::Leased(message) =
                app.store.lease_outbox_message(&lease).await.expect("a lease")
            else {
                panic!("no message")
            };
            assert_eq!((message.topic, message.subject), (OutboxTopic::InvitationMail, id.raw));
            revisions.push(message.revision);
        }
        revisions.sort_unstable();
        assert_eq!(revisions, [1, 2]);
        // The state of the mail does not move the version, and belongs to one generation.
        for (generation, expected) in [(1, "QUEUED"), (2, "SENT")] {
            let mail = MailStatus::Sent;
            let set = Change::SetInvitationMail { id, generation, mail };
            app.store.commit(&[set]).await.expect("committed");
            let query =
                format!("{{ node(id: \"{id}\") {{ ... on Invitation {{ mail version }} }} }}");
            let reply = app.query_as("bob", &query).await;
            assert_eq!(reply.data()["node"], json!({"mail": expected, "version": 2}));
        }
    }
}

/// A token is signed with the first secret, and verified with all. One of a removed secret is void like
/// an unknown one, until the invitation is renewed.
#[tokio::test]
async fn secrets_can_be_replaced() {
    for backend in [Backend::Sqlite, Backend::Mongo] {
        let app = App::on(backend).await;
        let world = World::new(&app).await;
        let invited = invite(&app, "bob", world.acme.id, "new@example.org", "MEMBER").await;
        let both = Setup { secrets: vec![[8; 32], [7; 32]], ..Setup::default() };
        let app = app.restart_with(both).await;
        let token = invited["token"].as_str().expect("a token");
        assert_eq!(preview(&app, "new", token).await.data()["invitation"]["role"], "MEMBER");
        let app = app.restart_with(Setup { secrets: vec![[8; 32]], ..Setup::default() }).await;
        let (old, unknown) = (token.to_owned(), "x".repeat(59));
        let mut answers = Vec::new();
        for token in [&old, &unknown] {
            let preview = preview(&app, "new", token).await;
            let accept = run(&app, "new", "acceptInvitation", json!({ "token": token })).await;
            assert_eq!((accept.codes(), accept.writes), (vec!["NOT_FOUND"], 0));
            let text = accept.json["errors"][0]["message"].clone();
            answers.push((preview.data().clone(), preview.reads, text, accept.reads));
        }
        assert_eq!(answers[0], answers[1], "{backend:?}");
        assert_eq!(answers[0].0["invitation"], json!(null));
        let renewed = change(&app, "bob", "resendInvitation", &invited).await.data()["x"].clone();
        accept(&app, "new", &renewed).await.data();
    }
}
