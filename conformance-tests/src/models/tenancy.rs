//! Tasks of tenants: associations over keys of two columns that share one of them, and aliases over the same column.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "projects", primary_key = "tenant_id, id")]
pub(crate) struct Project {
    pub(crate) tenant_id: i64,
    pub(crate) id: i64,
    pub(crate) name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members", primary_key = "tenant_id, id")]
pub(crate) struct Member {
    pub(crate) tenant_id: i64,
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) badge: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tasks")]
pub(crate) struct Task {
    pub(crate) id: i64,
    pub(crate) tenant_id: Option<i64>,
    pub(crate) project_id: Option<i64>,
    pub(crate) member_id: Option<i64>,
    #[belongs_to(foreign_key = "tenant_id, project_id")]
    pub(crate) project: BelongsTo<Option<Project>>,
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub(crate) member: BelongsTo<Option<Member>>,
    // The same key under another name.
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub(crate) assignee: BelongsTo<Option<Member>>,
}

/// Its tenant is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "milestones")]
pub(crate) struct Milestone {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) project_id: Option<i64>,
    #[belongs_to(foreign_key = "tenant_id, project_id")]
    pub(crate) project: BelongsTo<Option<Project>>,
}

/// Nothing of its keys can be cleared.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats_of_members", primary_key = "tenant_id, number")]
pub(crate) struct Place {
    pub(crate) tenant_id: i64,
    pub(crate) number: i64,
    pub(crate) member_id: i64,
    #[column(length = 20)]
    pub(crate) badge: Option<String>,
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub(crate) member: BelongsTo<Option<Member>>,
    // By a column that can be NULL on both sides.
    #[belongs_to(foreign_key = "badge", primary_key = "badge")]
    pub(crate) bearer: BelongsTo<Option<Member>>,
}

/// Two required associations, one of whose columns can be `NULL`.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "assignments")]
pub(crate) struct Assignment {
    pub(crate) id: i64,
    pub(crate) task_id: i64,
    pub(crate) milestone_id: Option<i64>,
    pub(crate) note: String,
    #[belongs_to]
    pub(crate) task: BelongsTo<Task>,
    #[belongs_to]
    pub(crate) milestone: BelongsTo<Milestone>,
}

/// Makes the tables and fills them: tenants 1 and 2 with projects 1 and 2 and members 1 and 2 each.
pub(crate) async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Project>().await?;
    repo.create_table::<Member>().await?;
    repo.create_table::<Task>().await?;
    repo.create_table::<Milestone>().await?;
    repo.create_table::<Place>().await?;
    repo.create_table::<Assignment>().await?;
    let both = || [(1, 1), (1, 2), (2, 1), (2, 2)];
    repo.insert_all(both().map(|(tenant, id)| {
        let project = Project::build().set(Project::TENANT_ID, tenant).set(Project::ID, id);
        project.set(Project::NAME, format!("project {tenant}.{id}"))
    }))
    .await?;
    repo.insert_all(both().map(|(tenant, id)| {
        let member = Member::build().set(Member::TENANT_ID, tenant).set(Member::ID, id);
        member.set(Member::BADGE, (id == 1).then(|| format!("badge {tenant}")))
    }))
    .await?;
    Ok(())
}
