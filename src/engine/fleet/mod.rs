//! Several servers as one environment: the registry, the shared schema and the lease on its own server,
//! each tenant and its ledger rows on the tenant's.

mod isolation;
mod ledger;
mod merge;
pub(super) mod split;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};

use crate::database_url::{self, DatabaseUrl, EngineKind, Problem};
use crate::domain::{
    Batch, Difference, EnvironmentName, Locations, Migration, Print, Secret, ServerName, Structure,
};

use super::isolation::{Attempt, Borderline, Borders, Crossed};
use super::row_security::{RowFacts, RowQuestion, Trial, Tried};
use super::{
    Engine, EngineError, EngineOptions, ErrorKind, FoundTable, Given, InvalidIndex, Label, NotMade, RangeKey,
    RegistryRow, Scratch, Session, Target, Underway, Unseen, open,
};
use split::{in_order, split};

/// One environment's server and the other ones that its tenants are on.
pub struct Fleet {
    own: Arc<Member>,
    options: EngineOptions,
    /// They may join while the registry is read; none leaves.
    others: RwLock<BTreeMap<ServerName, Arc<Member>>>,
}

/// One server.
struct Member {
    /// Absent: the environment's own.
    name: Option<ServerName>,
    url: DatabaseUrl,
    engine: Box<dyn Engine>,
}

impl Member {
    /// Says on which server it was.
    fn told(&self, mut error: EngineError) -> EngineError {
        if let Some(name) = &self.name {
            error.message = format!("server {name}: {}", error.message);
        }
        error
    }
}

/// Why a URL of the registry cannot be used. Nothing here is a part of it.
#[derive(Debug, Clone)]
pub enum NotAdmitted {
    Unreadable(Vec<Problem>),
    OtherEngine,
    /// The same database as a server that is known (absent: the environment's own) by another URL.
    OtherUrl(Option<ServerName>),
}

impl Fleet {
    pub fn new(url: DatabaseUrl, direct_url: Option<DatabaseUrl>, options: EngineOptions) -> Self {
        Self {
            own: Arc::new(Member {
                name: None,
                url: url.clone(),
                engine: open(url, direct_url, options.clone()),
            }),
            options,
            others: RwLock::default(),
        }
    }

    /// Adds a server. Nothing is connected yet.
    pub fn add(&self, name: ServerName, url: DatabaseUrl, direct_url: Option<DatabaseUrl>) {
        let member = Member {
            name: Some(name.clone()),
            url: url.clone(),
            engine: open(url, direct_url, self.options.clone()),
        };
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.insert(name, Arc::new(member));
    }

    /// Finds the server of a URL that the registry gave, or adds it: absent where it is the environment's
    /// own. From here on nothing tells the URL.
    pub fn admit(&self, url: &Secret) -> Result<Option<ServerName>, NotAdmitted> {
        self.options.redactor.add(url.expose());
        let url = database_url::parse(url.expose()).map_err(NotAdmitted::Unreadable)?;
        url.secret_parts()
            .for_each(|part| self.options.redactor.add(part.expose()));
        if url.kind != self.own.url.kind {
            return Err(NotAdmitted::OtherEngine);
        }
        let known = std::iter::once(self.own.clone()).chain(self.members());
        for member in known {
            if database_url::same_database(&member.url, &url) {
                return if same_access(&member.url, &url) {
                    Ok(member.name.clone())
                } else {
                    Err(NotAdmitted::OtherUrl(member.name.clone()))
                };
            }
        }
        let address = url.addresses.first().map(ToString::to_string);
        let address = address.unwrap_or_default();
        let mut name = ServerName::of_address(&address, &url.database);
        // One pooler for several databases of one name: its user says which.
        for number in 2.. {
            if !self.knows(&name) {
                break;
            }
            name = ServerName::of_address(&address, &format!("{} ({number})", url.database));
        }
        self.add(name.clone(), url, None);
        Ok(Some(name))
    }

    pub fn knows(&self, server: &ServerName) -> bool {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.contains_key(server)
    }

    /// All but the environment's own.
    pub fn names(&self) -> Vec<ServerName> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.keys().cloned().collect()
    }

    /// What a tenant is called on a server, and why that cannot be.
    pub fn place(&self, server: &ServerName, tenant: &str) -> (String, Option<&'static str>) {
        let member = self.member(Some(server)).unwrap_or_else(|_| self.own.clone());
        let location = member.engine.location(tenant);
        let reserved = member.engine.reserved(&location);
        (location, reserved)
    }

    /// Asks servers what they are, all at once.
    pub async fn ask_servers(&self, names: &[ServerName]) -> Vec<(ServerName, Result<String, EngineError>)> {
        let ask = |name: &ServerName| {
            let (name, member) = (name.clone(), self.member(Some(name)));
            async move {
                let answer = match member {
                    Ok(member) => member.engine.server().await.map_err(|error| member.told(error)),
                    Err(error) => Err(error),
                };
                (name, answer)
            }
        };
        join_all(names.iter().map(ask)).await
    }

    /// Whose the servers say they are, the environment's own left out.
    pub async fn labels(&self) -> Result<Vec<(ServerName, Option<Label>)>, EngineError> {
        let ask = |member: Arc<Member>| async move {
            let label = member.engine.label().await.map_err(|error| member.told(error))?;
            Ok(member.name.clone().map(|name| (name, label)))
        };
        let labels: Result<Vec<_>, EngineError> = try_join_all(self.members().into_iter().map(ask)).await;
        Ok(labels?.into_iter().flatten().collect())
    }

    /// Writes the label of one server anew; absent: of the environment's own.
    pub async fn relabel(
        &self,
        server: Option<&ServerName>,
        environment: &EnvironmentName,
        project: &str,
    ) -> Result<(), EngineError> {
        let member = self.member(server)?;
        let written = async {
            member.engine.prepare().await?;
            member.engine.set_label(environment, project, true).await
        };
        written.await.map_err(|error| member.told(error))
    }

    fn members(&self) -> Vec<Arc<Member>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.values().cloned().collect()
    }

    /// The own one first.
    fn all(&self) -> Vec<Arc<Member>> {
        std::iter::once(self.own.clone()).chain(self.members()).collect()
    }

    fn member(&self, server: Option<&ServerName>) -> Result<Arc<Member>, EngineError> {
        let Some(name) = server else {
            return Ok(self.own.clone());
        };
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.get(name).cloned().ok_or_else(|| {
            let message = format!("server {name} is not one of this environment");
            EngineError::new(ErrorKind::Unreachable, message, &self.options.redactor)
        })
    }
}

/// Nobody could tell which of two users a tenant's statements should run as.
fn same_access(a: &DatabaseUrl, b: &DatabaseUrl) -> bool {
    (&a.user, &a.password, &a.options, a.tls, a.pooled) == (&b.user, &b.password, &b.options, b.tls, b.pooled)
}

#[async_trait]
impl Engine for Fleet {
    fn kind(&self) -> EngineKind {
        self.own.engine.kind()
    }

    fn rolls_back_ddl(&self) -> bool {
        self.own.engine.rolls_back_ddl()
    }

    fn applies_together(&self) -> bool {
        self.own.engine.applies_together()
    }

    async fn needs_direct_url(&self, server: Option<&ServerName>) -> bool {
        match self.member(server) {
            Ok(member) => member.engine.needs_direct_url(None).await,
            Err(_) => false,
        }
    }

    fn fleet(&self) -> Option<&Fleet> {
        Some(self)
    }

    fn location(&self, tenant: &str) -> String {
        self.own.engine.location(tenant)
    }

    fn reserved(&self, location: &str) -> Option<&'static str> {
        self.own.engine.reserved(location)
    }

    async fn server(&self) -> Result<String, EngineError> {
        self.own.engine.server().await
    }

    /// What one server makes says nothing of another's.
    async fn prints(&self, targets: &[Target<'_>], comments: bool) -> Result<Vec<Print>, EngineError> {
        let parts = split(targets);
        let read = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let found = member.engine.prints(&part.targets, comments).await;
            let of_server = |print: Print| match part.server {
                Some(server) => Print(format!("{server} {}", print.0)),
                None => print,
            };
            let found = found.map(|prints| prints.into_iter().map(of_server).collect());
            found.map_err(|error| member.told(error))
        });
        let found = try_join_all(read).await?;
        Ok(in_order(&parts, found))
    }

    fn mend(&self, target: Target<'_>, expected: &Structure, differences: &[Difference]) -> String {
        self.own.engine.mend(target, expected, differences)
    }

    async fn structures(&self, targets: &[Target<'_>]) -> Result<Vec<Structure>, EngineError> {
        let parts = split(targets);
        let read = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let found = member.engine.structures(&part.targets).await;
            found.map_err(|error| member.told(error))
        });
        let found = try_join_all(read).await?;
        Ok(in_order(&parts, found))
    }

    async fn closed(&self, targets: &[Target<'_>]) -> Result<Vec<Option<String>>, EngineError> {
        let parts = split(targets);
        let ask = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let closed = member.engine.closed(&part.targets).await;
            closed.map_err(|error| member.told(error))
        });
        Ok(in_order(&parts, try_join_all(ask).await?))
    }

    async fn unseen(&self, target: Target<'_>) -> Result<Vec<Unseen>, EngineError> {
        let member = self.member(target.server())?;
        let unseen = member.engine.unseen(target).await;
        unseen.map_err(|error| member.told(error))
    }

    async fn made(&self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        self.own.engine.made(shared, own).await
    }

    async fn scratch(&self, real: bool) -> Result<Box<dyn Scratch>, EngineError> {
        self.own.engine.scratch(real).await
    }

    async fn registry(&self, query: &str) -> Result<Vec<RegistryRow>, EngineError> {
        self.own.engine.registry(query).await
    }

    async fn locations(&self) -> Result<Locations, EngineError> {
        let read = |member: Arc<Member>| async move {
            let locations = member.engine.locations().await;
            let locations = locations.map_err(|error| member.told(error))?;
            Ok::<_, EngineError>((member.name.clone(), locations))
        };
        let mut all = Locations::default();
        for (server, locations) in try_join_all(self.all().into_iter().map(read)).await? {
            match server {
                None => all = locations,
                Some(server) => all.add(server, locations),
            }
        }
        Ok(all)
    }

    async fn register(&self, sql: &str, tenant: &str) -> Result<(), EngineError> {
        self.own.engine.register(sql, tenant).await
    }

    async fn inspect(
        &self,
        targets: &[Target<'_>],
        tables: &[&str],
    ) -> Result<Vec<Vec<FoundTable>>, EngineError> {
        let parts = split(targets);
        let inspect = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let found = member.engine.inspect(&part.targets, tables).await;
            found.map_err(|error| member.told(error))
        });
        let found = try_join_all(inspect).await?;
        Ok(in_order(&parts, found))
    }

    async fn range_key(&self, target: Target<'_>, batch: &Batch) -> Result<RangeKey, EngineError> {
        let member = self.member(target.server())?;
        let found = member.engine.range_key(target, batch).await;
        found.map_err(|error| member.told(error))
    }

    async fn ranges_underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError> {
        let parts = split(targets);
        let ask = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let given = member.engine.ranges_underway(&part.targets).await;
            given.map_err(|error| member.told(error))
        });
        Ok(in_order(&parts, try_join_all(ask).await?))
    }

    async fn invalid_indexes(&self) -> Result<Vec<InvalidIndex>, EngineError> {
        let read = |member: Arc<Member>| async move {
            let found = member.engine.invalid_indexes().await;
            let mut found = found.map_err(|error| member.told(error))?;
            found.iter_mut().for_each(|it| it.server.clone_from(&member.name));
            Ok::<_, EngineError>(found)
        };
        let found = try_join_all(self.all().into_iter().map(read)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn borders(&self, line: &Borderline<'_>) -> Result<Vec<Borders>, EngineError> {
        self.borders_of_each(line).await
    }

    async fn attempt(&self, attempts: &[Attempt<'_>]) -> Result<Option<Vec<Crossed>>, EngineError> {
        self.attempt_on_each(attempts).await
    }

    fn quoted(&self, name: &str) -> String {
        self.own.engine.quoted(name)
    }

    async fn row_facts(&self, question: &RowQuestion) -> Result<RowFacts, EngineError> {
        self.own.engine.row_facts(question).await
    }

    async fn try_rows(&self, trial: &Trial<'_>) -> Result<Tried, EngineError> {
        self.own.engine.try_rows(trial).await
    }

    async fn ask(&self, targets: &[Target<'_>], query: &str) -> Result<Vec<Given>, EngineError> {
        let parts = split(targets);
        let ask = parts.iter().map(|part| async {
            let member = self.member(part.server)?;
            let given = member.engine.ask(&part.targets, query).await;
            given.map_err(|error| member.told(error))
        });
        let given = try_join_all(ask).await?;
        Ok(in_order(&parts, given))
    }

    async fn session(
        &self,
        server: Option<&ServerName>,
        direct: bool,
    ) -> Result<Box<dyn Session>, EngineError> {
        let member = self.member(server)?;
        let session = member.engine.session(None, direct).await;
        session.map_err(|error| member.told(error))
    }
}
