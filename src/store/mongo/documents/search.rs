//! The search keys of tenants and users.
//!
//! A tenant or a user has a field `search: {of, keys}`. `of` repeats the values that the keys were
//! made of, so that a document whose values changed without its keys is found. `keys` are the folded
//! texts. Each key is also a document `{ownerId, key, shared, class}` of a collection of its own,
//! because MongoDB returns an array's elements in the order of an index only if each is a document.

use mongodb::bson::{Bson, Document, doc};

use crate::domain::{
    search::{SearchKey, keys_of_tenant, keys_of_user, tenant_keys, user_keys},
    tenant::Tenant,
    user::User,
};

/// The version of the keys, the first value of `of`. Another version makes the gateway write all
/// keys again at its next start.
const VERSION: i32 = 1;

/// The values that search keys are made of, and the keys.
pub(in crate::store::mongo) struct SearchFields {
    of: Vec<Bson>,
    pub(in crate::store::mongo) keys: Vec<SearchKey>,
}

impl SearchFields {
    pub(in crate::store::mongo) fn of_tenant(tenant: &Tenant) -> Self {
        let of = vec![
            VERSION.into(),
            (&tenant.slug).into(),
            (&tenant.name).into(),
            tenant.domains.clone().into(),
        ];
        Self { of, keys: tenant_keys(tenant) }
    }

    pub(in crate::store::mongo) fn of_user(user: &User) -> Self {
        let email = user.email.as_deref().map_or(Bson::Null, Bson::from);
        Self { of: vec![VERSION.into(), (&user.name).into(), email], keys: user_keys(user) }
    }

    /// Makes the fields from the values that another program stored, which may have any type.
    pub(in crate::store::mongo) fn from_stored(owner: SearchOwner, document: &Document) -> Self {
        let text = |field: &str| document.get_str(field).ok();
        let keys = match owner {
            SearchOwner::User => keys_of_user(text("name"), text("email")),
            SearchOwner::Tenant => {
                let domains = document.get_array("domains").into_iter().flatten();
                keys_of_tenant(text("slug"), text("name"), domains.filter_map(Bson::as_str))
            }
        };
        let stored = |field: &&str| document.get(field).cloned().unwrap_or(Bson::Null);
        let of = std::iter::once(VERSION.into()).chain(owner.fields().iter().map(stored));
        Self { of: of.collect(), keys }
    }

    /// Returns the value of the field `search`.
    pub(in crate::store::mongo) fn document(&self) -> Document {
        let keys: Vec<&str> = self.keys.iter().map(|key| key.text.as_str()).collect();
        doc! { "of": &self.of, "keys": keys }
    }

    /// Adds the condition that the stored document has the same keys.
    pub(in crate::store::mongo) fn are_stored(&self, mut filter: Document) -> Document {
        filter.insert("search.of", &self.of);
        filter
    }

    /// Returns the documents of the keys.
    pub(in crate::store::mongo) fn key_documents(&self, owner: impl Into<Bson>) -> Vec<Document> {
        let owner = owner.into();
        let document = |key: &SearchKey| {
            doc! {
                "ownerId": &owner,
                "key": &key.text,
                "shared": i32::try_from(key.shared).unwrap_or(i32::MAX),
                "class": i32::try_from(key.class()).unwrap_or(i32::MAX),
            }
        };
        self.keys.iter().map(document).collect()
    }
}

/// The kind of an element that is searched.
#[derive(Clone, Copy)]
pub(in crate::store::mongo) enum SearchOwner {
    Tenant,
    User,
}

impl SearchOwner {
    /// Returns the fields that the keys are made of.
    pub(in crate::store::mongo) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Tenant => &["slug", "name", "domains"],
            Self::User => &["name", "email"],
        }
    }

    /// Matches the documents whose keys were made of other values.
    pub(in crate::store::mongo) fn outdated(self) -> Document {
        doc! { "$expr": { "$ne": ["$search.of", self.values("$")] } }
    }

    /// Returns the expression for `of` of a document. `prefix` leads to the document.
    pub(in crate::store::mongo) fn values(self, prefix: &str) -> Vec<Bson> {
        // An absent field is null in an array.
        let fields = self.fields().iter().map(|field| Bson::from(format!("{prefix}{field}")));
        std::iter::once(VERSION.into()).chain(fields).collect()
    }
}
