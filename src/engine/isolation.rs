//! What a server tells of the borders between its tenants, as values that no engine's catalogs are in.

use std::collections::{BTreeMap, BTreeSet};

use crate::database_url::DatabaseUrl;
use crate::domain::{ServerName, Tenant, TenantName};

/// Whose borders are asked about.
#[derive(Debug, Clone)]
pub struct Borderline<'a> {
    pub tenants: Vec<&'a Tenant>,
    /// As whom the application is connected; may contain `{tenant}`.
    pub serving_role: Option<&'a str>,
    /// Whose structure was just seen to be that of another one of these, names of their own places aside.
    pub alike: &'a BTreeMap<TenantName, TenantName>,
}

impl Borderline<'_> {
    /// The roles as whom the application is connected, each once.
    pub(super) fn roles(&self) -> Vec<String> {
        let Some(template) = self.serving_role else {
            return Vec::new();
        };
        let of = |tenant: &&Tenant| template.replace("{tenant}", tenant.name.as_str());
        let roles: BTreeSet<String> = match template.contains("{tenant}") {
            true => self.tenants.iter().map(of).collect(),
            false => BTreeSet::from([template.to_owned()]),
        };
        roles.into_iter().collect()
    }
}

/// What one server tells.
#[derive(Default)]
pub struct Borders {
    /// Absent: the environment's own.
    pub server: Option<ServerName>,
    /// The shared schema or database.
    pub shared: String,
    /// From one schema or database into another, those into the shared one left out.
    pub references: Vec<Reference>,
    pub bodies: Vec<Body>,
    /// Names of tables and functions of all places: what a qualified name can mean.
    pub names: BTreeSet<String>,
    /// Tables that the shared schema has and others too.
    pub twice: Vec<Twice>,
    pub roles: Vec<Role>,
    /// Who may do what with a schema or database.
    pub grants: Vec<Grant>,
    /// Tables of other places than the shared one that everybody may do something with.
    pub public: Vec<InPlace>,
    /// What serving roles own.
    pub owned: Vec<Owned>,
    /// Functions that act as their owner, and may be made to do more than they were made for.
    pub definers: Vec<Definer>,
    /// What this role was not shown, and what would show it.
    pub unread: Vec<Unread>,
    /// The same of texts.
    pub unread_texts: Vec<Unread>,
}

/// An object of one place that does not work without one of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub from: String,
    /// As a person would say it: `table constraint orders_fk on orders`.
    pub object: String,
    pub to: String,
    pub target: String,
    /// The target came with an extension.
    pub extension: bool,
    /// It is a partition or a child of the target: who reads that reads it as well.
    pub child: bool,
}

/// A text that runs in the server, as it is in each of these places. It may hold anything: no `Debug`.
pub struct Body {
    pub text: String,
    /// Schemas in which it looks for names, where it says so itself.
    pub search_path: String,
    pub at: Vec<InPlace>,
}

/// An object by the name of its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InPlace {
    pub location: String,
    pub object: String,
}

/// A table's name, and where else than in the shared schema there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    pub name: String,
    pub locations: Vec<String>,
}

/// A serving role, or one that it is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// The serving role.
    pub serving: String,
    /// Itself, or the other.
    pub name: String,
    pub powers: BTreeSet<Power>,
    /// The search path that its connections begin with.
    pub search_path: String,
    /// How SQL names it, where a name alone does not.
    pub account: String,
    /// Privileges on all of a server.
    pub everywhere: Vec<String>,
}

/// What a role may do whatever the grants on schemas say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Everything.
    Superuser,
    /// Rows that policies hide.
    BypassRls,
    /// Make itself a member of others.
    CreateRole,
    CreateDatabase,
    Replication,
    /// New schemas in this database.
    CreateSchema,
    /// Everybody's data.
    ReadsAll,
    WritesAll,
    /// Privileges on all databases of the server.
    Everywhere,
    SeesDatabases,
    /// Give others what it has everywhere.
    Grants,
    /// The server's files.
    Files,
    /// Other connections' statements.
    Processes,
    /// Make procedures that run as somebody else: the privilege's name.
    ActsAsOthers(&'static str),
    /// Reload it, shut it down.
    Server,
}

impl Power {
    pub fn told(self) -> &'static str {
        match self {
            Self::Superuser => "is a superuser",
            Self::BypassRls => "may bypass row level security (BYPASSRLS)",
            Self::CreateRole => "may make roles (CREATEROLE)",
            Self::CreateDatabase => "may make databases (CREATEDB)",
            Self::Replication => "may replicate everything (REPLICATION)",
            Self::CreateSchema => "may make schemas in this database",
            Self::ReadsAll => "may read everybody's data",
            Self::WritesAll => "may write everybody's data",
            Self::Everywhere => "has privileges on all databases of the server (ON *.*)",
            Self::SeesDatabases => "may see the names of all databases (SHOW DATABASES)",
            Self::Grants => "may give others what it has, everywhere (GRANT OPTION)",
            Self::Files => "may read and write the server's files (FILE)",
            Self::Processes => "may see everybody's statements (PROCESS)",
            Self::ActsAsOthers(_) => "may make procedures that run as any other user (SET USER)",
            Self::Server => "may reload the server or shut it down",
        }
    }
}

/// One privilege of one role on some places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Empty: everybody.
    pub grantee: String,
    pub privilege: String,
    pub locations: Vec<String>,
    /// What the server has it written down for, where that is a pattern: `app\_%`.
    pub pattern: Option<String>,
    /// How SQL names the grantee, where a name alone does not.
    pub account: String,
    /// Not the whole place, but a thing in it: `PROCEDURE`, or nothing for a table, and its name.
    pub object: Option<(String, String)>,
}

/// Places in which a role owns tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub role: String,
    pub locations: Vec<String>,
}

/// A SECURITY DEFINER function, once for all places that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definer {
    /// With its arguments.
    pub function: String,
    pub owner: String,
    /// It has a `search_path` of its own.
    pub fixed_path: bool,
    /// It may run a text that it puts together.
    pub dynamic: bool,
    pub locations: Vec<String>,
}

/// A question that the server did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub what: String,
    pub hint: String,
}

/// One tenant's role, tried against its own tenant and against another.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The role, or the URL's user.
    pub role: String,
    /// As whom to connect, where the engine lets nobody act as another.
    pub url: Option<DatabaseUrl>,
    pub own: &'a Tenant,
    /// Absent: the role serves all tenants, and there is no other for it.
    pub other: Option<&'a Tenant>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crossed {
    /// Why nothing was tried.
    pub not_tried: Option<NotTried>,
    /// Own tables that it could not read.
    pub unreadable: Vec<String>,
    /// The other's tables that it read.
    pub read: Vec<String>,
    /// The other's tables that it could write to.
    pub written: Vec<String>,
    /// Schemas in which it could create, other than its own.
    pub creates: Vec<String>,
    /// Databases that it was shown, whoever's.
    pub sees: Vec<String>,
    /// How many of its own tables it read.
    pub reads: usize,
    /// What went wrong otherwise: the server's code.
    pub failed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTried {
    /// The gate's role, by its name, may not act as it.
    NotAMember(String),
    NoSuchRole,
    /// The URL leads somewhere else.
    OtherServer,
}
