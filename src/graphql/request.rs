//! The parameters of a GraphQL request, independent of the transport that carried them.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{documents::DocumentRef, raw_object::RawObject, variables::RawVariables};
use crate::access::digest;

/// The parameters of a request, with the names of the GraphQL over HTTP specification.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlRequest {
    /// The text of the document. It is absent if the request references the document instead.
    #[serde(default)]
    pub query: Option<String>,
    /// The identifier of a trusted document (GraphQL over HTTP, appendix A; Relay's `doc_id`).
    #[serde(default, alias = "doc_id")]
    pub document_id: Option<String>,
    /// The name of the operation to execute. It is required if the document has several.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The values of the operation's variables, by name.
    #[serde(default)]
    pub variables: RawVariables,
    /// The protocol extensions.
    #[serde(default)]
    pub extensions: RequestExtensions,
}

/// The protocol extensions that the gateway reads. It ignores all others.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<RawObject>")]
pub struct RequestExtensions {
    /// The hash of the document in hexadecimal digits (`persistedQuery.sha256Hash`).
    sha256_hash: Option<String>,
    /// The member `idempotencyKey`, as JSON.
    idempotency_key: Option<Box<RawValue>>,
}

impl RequestExtensions {
    /// Returns the member `idempotencyKey` as JSON. Only a transport without headers uses it.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&RawValue> {
        self.idempotency_key.as_deref()
    }
}

impl From<Option<RawObject>> for RequestExtensions {
    fn from(extensions: Option<RawObject>) -> Self {
        let Some(extensions) = extensions else { return Self::default() };
        let hash = || {
            let persisted_query =
                RawObject::parse(extensions.member("persistedQuery")?.get()).ok()?;
            serde_json::from_str(persisted_query.member("sha256Hash")?.get()).ok()
        };
        let idempotency_key = extensions.member("idempotencyKey").map(ToOwned::to_owned);
        Self { sha256_hash: hash(), idempotency_key }
    }
}

impl GraphQlRequest {
    /// Returns `true` if the request has a document or references one.
    #[must_use]
    pub fn has_document(&self) -> bool {
        let DocumentRef { text, id, hash } = self.document_ref();
        text.is_some() || id.is_some() || hash.is_some()
    }

    /// Returns the parameters that identify the document.
    pub(super) fn document_ref(&self) -> DocumentRef<'_> {
        DocumentRef {
            text: self.query.as_deref(),
            id: self.document_id.as_deref(),
            hash: self.extensions.sha256_hash.as_deref(),
        }
    }

    /// Returns a digest that distinguishes requests with different effects.
    ///
    /// `variables` are those that the operation declares. No others can have an effect. White space
    /// and the order of members make no difference.
    pub(super) fn fingerprint(&self, variables: &Map<String, Value>) -> [u8; 32] {
        // Absent variables and empty ones have the same meaning.
        let variables =
            if variables.is_empty() { None } else { serde_json::to_string(variables).ok() };
        let DocumentRef { text, id, hash } = self.document_ref();
        let name = self.operation_name.as_deref();
        digest(&[text, id, name, variables.as_deref(), hash].map(Option::unwrap_or_default))
    }
}
