//! An unreachable server causes `Unavailable` errors, and the store recovers without a restart.

use tenantry::{
    domain::user::Identity,
    store::{CommitError, Store, StoreError, TenantKeys, UserKeys, mongo::MongoStore},
};

use super::*;
use crate::support::mongod::{ISSUER, Kind, Mongod};

#[tokio::test]
async fn store_is_unavailable_during_an_outage_and_recovers() {
    let mut mongod = Mongod::unstarted(Kind::ReplicaSet);
    // The store connects before the server runs.
    let store =
        MongoStore::connect(&mongod.uri("outage"), ISSUER, None).await.expect("store opens");
    assert_unavailable(&store).await;
    assert!(mongod.start(), "the port must still be free");
    mongod.initiate().await;
    // The driver selects servers on its own schedule. Each attempt and their number are bounded.
    assert!(recovers(&store).await);
    store.prepare().await.expect("preparation succeeds");
    mongod.stop();
    assert_unavailable(&store).await;
    assert!(mongod.start(), "the port must still be free");
    assert!(recovers(&store).await);
}

async fn assert_unavailable(store: &MongoStore) {
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    let tenants = store.tenants(TenantKeys::Ids(&[id(1)])).await;
    assert!(matches!(tenants, Err(StoreError::Unavailable(_))), "{tenants:?}");
    let touch = tenantry::domain::change::Change::TouchLastSeen { id: id(1), at: time(1) };
    for changes in [vec![touch.clone()], vec![touch.clone(), touch]] {
        let result = store.commit(&changes).await;
        let unavailable = matches!(result, Err(CommitError::Failed(StoreError::Unavailable(_))));
        assert!(unavailable, "{result:?}");
    }
}

async fn recovers(store: &MongoStore) -> bool {
    let identity = Identity { issuer: ISSUER.to_owned(), subject: "unknown".to_owned() };
    for _ in 0..200 {
        if store.users(UserKeys::Identity(&identity)).await.is_ok() {
            return true;
        }
    }
    false
}
