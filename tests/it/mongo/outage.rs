//! A server that is away is an answer, not an end.

use tenantry::{
    domain::user::Identity,
    store::{CommitError, Store, StoreError, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{ISSUER, Kind, Mongod};

#[tokio::test]
async fn it_is_unavailable_while_away_and_heals() {
    let mut mongod = Mongod::nowhere(Kind::ReplicaSet);
    // The store first: nothing is there to be found.
    let store = MongoStore::connect(&mongod.uri("outage"), ISSUER, None).await.expect("a store");
    assert_unavailable(&store).await;
    assert!(mongod.start(), "the port is still free");
    mongod.initiate().await;
    // The driver looks for servers in its own time; each look is bounded, and so is their number.
    assert!(heals(&store).await);
    store.prepare().await.expect("prepared");
    mongod.stop();
    assert_unavailable(&store).await;
    assert!(mongod.start(), "the port is still free");
    assert!(heals(&store).await);
}

async fn assert_unavailable(store: &MongoStore) {
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    let read = store.tenants(TenantKeys::Ids(&[id(1)])).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    let seen = tenantry::domain::change::Change::TouchLastSeen { id: id(1), at: time(1) };
    for changes in [vec![seen.clone()], vec![seen.clone(), seen]] {
        let commit = store.commit(&changes).await;
        let away = matches!(commit, Err(CommitError::Failed(StoreError::Unavailable(_))));
        assert!(away, "{commit:?}");
    }
}

async fn heals(store: &MongoStore) -> bool {
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "nobody".to_owned() };
    for _ in 0..200 {
        if store.users(UserKeys::Identity(&identity)).await.is_ok() {
            return true;
        }
    }
    false
}
