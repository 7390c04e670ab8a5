//! Every row that reads, for every caller.

use serde_json::{Value, json};
use tenantry::domain::change::Change;

use super::{
    ask, reads_of,
    table::{self, Ask, Caller, Place},
    world::{self, Cell},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    every_read_for_every_caller,
}

/// What came of what stands there in `data`, in the words of the table.
pub(super) fn outcome(reply: &Reply, at: &str, finds: &str) -> String {
    let value = reply.json["data"].pointer(at);
    let path = at.trim_start_matches('/').replace('/', ".");
    match (&reply.codes()[..], value) {
        ([], None) => "–".to_owned(),
        ([], Some(Value::Null)) => "null".to_owned(),
        ([], Some(value)) if value.to_string().contains(finds) => "✓".to_owned(),
        ([], Some(_)) => "left out".to_owned(),
        (["FORBIDDEN"], Some(Value::Null))
            if path.contains('.') && reply.errors() == [format!("FORBIDDEN {path}")] =>
        {
            "null + FORBIDDEN".to_owned()
        }
        (&[code], None | Some(Value::Null)) => code.to_owned(),
        _ => reply.body.clone(),
    }
}

async fn every_read_for_every_caller(app: App) {
    let cells = [Place::Active, Place::Suspended].map(|place| {
        let n = u32::from(place == Place::Suspended);
        Cell::new(&app, n, place, &Caller::ALL)
    });
    let changes: Vec<Change> =
        world::shared().into_iter().chain(cells.iter().flat_map(Cell::changes)).collect();
    app.store.commit(&changes).await.expect("an empty store");
    let (mut asked, mut wrong) = (0, Vec::new());
    for row in table::rows() {
        let Ask::Read { covers, document, at, finds } = &row.ask else { continue };
        let cell = cells.iter().find(|cell| cell.place == row.place).expect("a world like that");
        for coordinate in *covers {
            let (_, field) = coordinate.split_once('.').expect("a type and a field");
            for caller in Caller::ALL {
                let fill = |text: &str| cell.fill(caller, &text.replace("{0}", field));
                let document = format!("{{ {} }}", fill(document));
                assert!(document.contains(field), "{document} does not ask for {coordinate}");
                let reply = ask(&app, cell, caller, "matrix", &document, json!({})).await;
                asked += 1;
                let came = outcome(&reply, &fill(at), &fill(finds));
                let expected = row.expects(caller).word();
                let about = format!("{coordinate}, {}, for {}", row.what, caller.title());
                if came != expected {
                    wrong.push(format!("{about}: {came}, not {expected}"));
                    continue;
                }
                costs(&reply, expected, &about);
                if *coordinate != "Query.me" {
                    assert_eq!(reply.writes, 0, "{about}: only `me` writes");
                } else if caller == Caller::Newcomer {
                    forget(&app, cell).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}: {wrong:#?}", wrong.len());
}

/// What an answer may have cost; a whole refusal of a read comes before anything is looked up.
fn costs(reply: &Reply, expected: &str, about: &str) {
    assert_eq!(reply.status, 200, "{about}");
    let reads = if expected == "FORBIDDEN" { Some(1) } else { reads_of(expected) };
    if let Some(reads) = reads {
        assert_eq!(reply.reads, reads, "{about}");
    }
}

/// Takes the user away that `me` has made: to the other rows the newcomer has to be one still.
async fn forget(app: &App, cell: &Cell) {
    let subject = format!("{}-{}", world::word(Caller::Newcomer), cell.n);
    let made = app.stored(&subject).await.expect("made by `me`");
    let delete = Change::DeleteUser { id: made.id, expected: (&made).into() };
    app.store.commit(&[delete]).await.expect("deleted");
}
