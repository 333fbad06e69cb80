//! Files that import each other in a loop. A parent and its children may: the parent hands out what they have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::{Attribute, Item, UseTree};

/// A module's path below the crate.
type Module = Vec<String>;

/// The loops, each as the modules that it goes through.
pub fn circles(files: &[(Module, syn::File)]) -> Vec<Vec<String>> {
    let known: BTreeSet<&Module> = files.iter().map(|(module, _)| module).collect();
    let mut imports: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, file) in files {
        let mut paths = Vec::new();
        file.items.iter().for_each(|item| collect(item, &mut paths));
        for path in paths {
            let Some(target) = resolve(module, &path).and_then(|path| file_of(&path, &known)) else { continue };
            let is_family = module.starts_with(target) || target.starts_with(module);
            if !is_family {
                imports.entry(module).or_default().insert(target);
            }
        }
    }
    let reaches = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Module> = imports.get(from).into_iter().flatten().copied().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(imports.get(module).into_iter().flatten().copied());
            }
        }
        seen
    };
    let reachable: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (*module, reaches(module))).collect();
    let mut found = BTreeSet::new();
    for (module, targets) in &reachable {
        if targets.contains(module) {
            let members =
                targets.iter().filter(|other| reachable.get(*other).is_some_and(|back| back.contains(module)));
            found.insert(members.map(|member| member.join("::")).collect::<Vec<_>>());
        }
    }
    found.into_iter().collect()
}

/// The paths that an item imports, but for what only tests import.
fn collect(item: &Item, paths: &mut Vec<Vec<String>>) {
    match item {
        Item::Use(import) if !is_test(&import.attrs) => flatten(&import.tree, &mut Vec::new(), paths),
        _ => {}
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, paths);
            before.pop();
        }
        UseTree::Name(name) => paths.push([before.as_slice(), &[name.ident.to_string()]].concat()),
        UseTree::Rename(name) => paths.push([before.as_slice(), &[name.ident.to_string()]].concat()),
        UseTree::Glob(_) => paths.push(before.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, paths)),
    }
}

/// From the crate on; [`None`] for other crates.
fn resolve(module: &Module, path: &[String]) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module.as_slice(), rest].concat()),
        "super" => {
            let supers = path.iter().take_while(|name| *name == "super").count();
            let parent = module.get(..module.len().checked_sub(supers)?)?;
            Some([parent, path.get(supers..)?].concat())
        }
        _ => None,
    }
}

/// The file that a path leads into: that of its longest beginning.
fn file_of<'a>(path: &Module, known: &BTreeSet<&'a Module>) -> Option<&'a Module> {
    (1..=path.len()).rev().find_map(|length| known.get(&path[..length].to_vec()).copied())
}

/// All files below `src`, but for tests.
pub fn parsed(root: &Path, modules: &[(String, Module)]) -> Vec<(Module, syn::File)> {
    let parse = |path: &str| syn::parse_file(&fs::read_to_string(root.join(path)).unwrap()).unwrap();
    modules.iter().map(|(path, module)| (module.clone(), parse(path))).collect()
}
