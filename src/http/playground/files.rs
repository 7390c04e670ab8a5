//! Written by `make playground`: the files of playground/dist.

use super::file::{File, file};

/// The page of `dev`, which has demo identities.
pub(super) static DEV: File = file!("dev.html");
/// The page of `serve`.
pub(super) static SERVE: File = file!("serve.html");
/// The licences of what others wrote.
pub(super) static LICENSES: File = file!("licenses.md");
/// What the pages bring in. A name has a hash of what is in the file.
pub(super) static ASSETS: [File; 26] = [
    file!("codicon-DCmgc-ay.ttf"),
    file!("editor.worker-DEFT_Yb2.js"),
    file!("fira-code-latin-400-normal-DGosTW8U.woff2"),
    file!("graphql-CNP3xU9i.js"),
    file!("graphql-fmXr3nnJ.js"),
    file!("graphql.worker-Bht_UmmT.js"),
    file!("graphqlMode-Dx13KoSz.js"),
    file!("icon-kLmgt2DL.svg"),
    file!("json.worker-ky6CAS4V.js"),
    file!("jsonMode-B42e6afi.js"),
    file!("lite-tqRHHH1E.js"),
    file!("main-D7dN-edn.css"),
    file!("main-DDGYTWdn.js"),
    file!("monaco-DnOY8KQw.css"),
    file!("monaco-editor-BkkMkf4_.css"),
    file!("monaco-editor-CYSRgKzM.js"),
    file!("monaco.contribution-BFiYxkM4.js"),
    file!("mouseTarget-DL84Cb3f.js"),
    file!("no-plugin-BFjFi8Zx.js"),
    file!("no-plugin-z8mm5bCF.js"),
    file!("preload-helper-BMGius-M.js"),
    file!("prettier-Du93pouI.js"),
    file!("roboto-latin-400-normal-BqEyEoaF.woff2"),
    file!("roboto-latin-500-normal-7RbcRiD8.woff2"),
    file!("rolldown-runtime-BWaJ3C7D.js"),
    file!("types-BjKgE1Ro.js"),
];
