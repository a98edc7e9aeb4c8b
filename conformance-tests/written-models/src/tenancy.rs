//! Tasks of tenants: associations over keys of two columns that share one of them, and aliases over the same column.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "projects", primary_key = "tenant_id, id")]
pub struct Project {
    pub tenant_id: i64,
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members", primary_key = "tenant_id, id")]
pub struct Member {
    pub tenant_id: i64,
    pub id: i64,
    #[column(length = 20)]
    pub badge: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tasks")]
pub struct Task {
    pub id: i64,
    pub tenant_id: Option<i64>,
    pub project_id: Option<i64>,
    pub member_id: Option<i64>,
    #[belongs_to(foreign_key = "tenant_id, project_id")]
    pub project: BelongsTo<Option<Project>>,
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub member: BelongsTo<Option<Member>>,
    // The same key under another name.
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub assignee: BelongsTo<Option<Member>>,
}

/// Its tenant is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "milestones")]
pub struct Milestone {
    pub id: i64,
    pub tenant_id: i64,
    pub project_id: Option<i64>,
    #[belongs_to(foreign_key = "tenant_id, project_id")]
    pub project: BelongsTo<Option<Project>>,
}

/// Nothing of its keys can be cleared.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats_of_members", primary_key = "tenant_id, number")]
pub struct Place {
    pub tenant_id: i64,
    pub number: i64,
    pub member_id: i64,
    #[column(length = 20)]
    pub badge: Option<String>,
    #[belongs_to(foreign_key = "tenant_id, member_id")]
    pub member: BelongsTo<Option<Member>>,
    // By a column that can be NULL on both sides.
    #[belongs_to(foreign_key = "badge", primary_key = "badge")]
    pub bearer: BelongsTo<Option<Member>>,
}

/// Two required associations, one of whose columns can be `NULL`.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "assignments")]
pub struct Assignment {
    pub id: i64,
    pub task_id: i64,
    pub milestone_id: Option<i64>,
    pub note: String,
    #[belongs_to]
    pub task: BelongsTo<Task>,
    #[belongs_to]
    pub milestone: BelongsTo<Milestone>,
}

/// Makes the tables and fills them: tenants 1 and 2 with projects 1 and 2 and members 1 and 2 each.
pub async fn fixture(repo: &Repo) -> Result<()> {
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
