//! The parameters of a GraphQL request, independent of the transport that carried them.

use serde::Deserialize;

use super::documents::DocumentRef;

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
    pub variables: Option<serde_json::Map<String, serde_json::Value>>,
    /// The protocol extensions. The gateway reads `persistedQuery.sha256Hash`.
    #[serde(default)]
    pub extensions: Option<serde_json::Map<String, serde_json::Value>>,
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
            hash: self.sha256_hash(),
        }
    }

    fn sha256_hash(&self) -> Option<&str> {
        self.extensions.as_ref()?.get("persistedQuery")?.get("sha256Hash")?.as_str()
    }
}
