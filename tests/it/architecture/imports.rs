//! Builds the graph of imports between files, by the syntax of their `use` items and paths.
//!
//! An edge leads from a file to the file that *defines* the imported item. Re-exports (`pub use`) are
//! followed and are no edges themselves: they declare an interface. Tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    slice,
};

use syn::{
    Attribute, Item, UseTree, Visibility,
    visit::{self, Visit},
};

use super::source::SourceFile;

/// For each file, the other files that it imports from.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The segments of a path, such as `["crate", "store", "Store"]`.
type Path = Vec<String>;

/// A module that has a file of its own.
#[derive(Default)]
struct Module {
    file: String,
    /// The names of the items that the file defines.
    defined: BTreeSet<String>,
    /// The imported path of each name that a `use` brings into scope.
    imported: HashMap<String, Path>,
    /// The paths of glob imports.
    globs: Vec<Path>,
    /// The paths that the file uses, in `use` items that are no re-exports and in its code.
    used: Vec<Path>,
}

/// Modules by their path below the crate, which is the empty path.
type Modules = HashMap<Path, Module>;

/// Builds the graph of a program.
pub(super) fn graph(files: &[SourceFile]) -> Graph {
    let modules: Modules = files
        .iter()
        .filter(|file| file.path != "main.rs")
        .map(|file| (module_path(&file.path), read_module(file)))
        .collect();
    let mut graph = Graph::new();
    for (path, module) in &modules {
        let targets = module.used.iter().filter_map(|used| defining_file(&modules, path, used, 0));
        let targets = targets.filter(|target| *target != module.file);
        graph.insert(module.file.clone(), targets.collect());
    }
    graph
}

fn module_path(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" => Path::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn read_module(file: &SourceFile) -> Module {
    let syntax = syn::parse_file(&file.code).unwrap_or_else(|error| {
        panic!("{} cannot be parsed: {error}", file.path);
    });
    let mut module = Module { file: file.path.clone(), ..Module::default() };
    for item in &syntax.items {
        module.read_item(item);
    }
    module
}

impl Module {
    fn read_item(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            _ => None,
        };
        self.defined.extend(name.map(ToString::to_string));
        match item {
            Item::Use(item) if is_test(&item.attrs) => {}
            Item::Use(item) => {
                let is_private = matches!(item.vis, Visibility::Inherited);
                self.read_use(&item.tree, &mut Path::new(), is_private);
            }
            // A macro call such as `string_enum! { pub enum Plan { … } }` defines what it names.
            Item::Macro(item) if item.ident.is_none() => {
                self.defined.extend(defined_by_macro(&item.mac.tokens.to_string()));
                self.visit_macro(&item.mac);
            }
            item => self.visit_item(item),
        }
    }

    fn read_use(&mut self, tree: &UseTree, prefix: &mut Path, is_private: bool) {
        let import = |this: &mut Self, name: String, path: Path| {
            if is_private {
                this.used.push(path.clone());
            }
            this.imported.insert(name, path);
        };
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.read_use(&path.tree, prefix, is_private);
                prefix.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                import(self, prefix.last().cloned().unwrap_or_default(), prefix.clone());
            }
            UseTree::Name(name) => {
                let path = [prefix.as_slice(), &[name.ident.to_string()]].concat();
                import(self, name.ident.to_string(), path);
            }
            UseTree::Rename(rename) => {
                let path = [prefix.as_slice(), &[rename.ident.to_string()]].concat();
                import(self, rename.rename.to_string(), path);
            }
            UseTree::Glob(_) => self.globs.push(prefix.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_use(tree, prefix, is_private);
                }
            }
        }
    }
}

/// Collects the paths in a file's code.
impl<'ast> Visit<'ast> for Module {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.used.push(path.segments.iter().map(|s| s.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.read_use(&item.tree, &mut Path::new(), true);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    /// Reads the tokens of a macro call, which are no syntax tree.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string().replace(" :: ", "::");
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let paths = paths.filter(|word| word.contains("::"));
        self.used.extend(paths.map(|path| path.split("::").map(str::to_owned).collect::<Path>()));
        self.visit_path(&call.path);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

fn defined_by_macro(tokens: &str) -> Option<String> {
    let words: Vec<&str> = tokens.split_whitespace().collect();
    let keyword = words.windows(2).find(|pair| ["enum", "struct"].contains(&pair[0]));
    keyword.map(|pair| pair[1].to_owned())
}

/// Returns the file that defines the item of a path as `module` names it, if it is of this crate.
fn defining_file(
    modules: &Modules,
    module: &Path,
    path: &[String],
    depth: usize,
) -> Option<String> {
    assert!(depth < 20, "{path:?} in {module:?} leads to itself");
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => find(modules, Path::new(), rest, depth),
        "self" => find(modules, module.clone(), rest, depth),
        "super" => find(modules, parent(module), rest, depth),
        _ => {
            let child = [module.as_slice(), slice::from_ref(first)].concat();
            if modules.contains_key(&child) {
                return find(modules, child, rest, depth);
            }
            let imported = modules[module].imported.get(first)?;
            (imported.first() != Some(first)).then_some(())?;
            let path = [imported.as_slice(), rest].concat();
            defining_file(modules, module, &path, depth + 1)
        }
    }
}

/// Follows a path from a module on. A path that ends with a module names no item.
fn find(modules: &Modules, mut module: Path, path: &[String], depth: usize) -> Option<String> {
    let mut rest = path;
    while let Some((name, after)) = rest.split_first() {
        let child = [module.as_slice(), slice::from_ref(name)].concat();
        if name == "super" {
            module = parent(&module);
        } else if modules.contains_key(&child) {
            module = child;
        } else {
            let this = modules.get(&module)?;
            if this.defined.contains(name) {
                return Some(this.file.clone());
            }
            if let Some(imported) = this.imported.get(name) {
                return defining_file(modules, &module, imported, depth + 1);
            }
            let globs =
                this.globs.iter().map(|glob| [glob.as_slice(), slice::from_ref(name)].concat());
            let mut found =
                globs.filter_map(|path| defining_file(modules, &module, &path, depth + 1));
            return found.next();
        }
        rest = after;
    }
    None
}

fn parent(module: &Path) -> Path {
    module.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}

fn file(path: &str, code: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), code: code.to_owned() }
}

#[test]
fn imports_lead_to_the_file_that_defines_the_item() {
    let files = [
        file("lib.rs", "pub mod a; pub mod b; pub struct Root;"),
        file("a/mod.rs", "mod c; pub use c::Shown; use crate::Root; fn f() { c::g(); }"),
        file("a/c.rs", "pub struct Shown; pub fn g() { h!(super::super::b::X); }"),
        file("b.rs", "use crate::a::{self, Shown}; pub const X: u8 = 0; use std::fmt;"),
    ];
    let graph = graph(&files);
    let targets = |path: &str| graph[path].iter().cloned().collect::<Vec<_>>();
    assert_eq!(targets("lib.rs"), [""; 0]);
    assert_eq!(targets("a/mod.rs"), ["a/c.rs", "lib.rs"]);
    assert_eq!(targets("a/c.rs"), ["b.rs"]);
    assert_eq!(targets("b.rs"), ["a/c.rs"]);
}
