//! The treatment of a document that is not on the operator's list of trusted documents.

super::string_enum! {
    /// The treatment of documents that are not trusted.
    #[derive(Default)]
    pub enum TrustedDocumentsMode {
        /// The gateway runs them.
        #[default]
        Off = "off",
        /// The gateway runs them and logs each one that `enforce` would reject.
        Report = "report",
        /// The gateway rejects them.
        Enforce = "enforce",
    }
}
