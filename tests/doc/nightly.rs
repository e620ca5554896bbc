// What many examples in the documentation start from: an engine, the first check-in of a nightly job, and
// the keys of its monitor and environment.
{
    use overdue::id::{OrganizationId, ProjectId, EnvironmentKey, EnvironmentName, MonitorKey};
    use overdue::{Engine, MemoryStore, Message, Policy};
    use overdue::event::NoSink;

    let (organization, project) = (OrganizationId::new(1), ProjectId::new(1));
    let monitor = MonitorKey { project, slug: "nightly".parse()? };
    let environment = EnvironmentKey { monitor: monitor.clone(), name: EnvironmentName::production() };
    let payload = br#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "nightly", "status": "ok",
        "monitor_config": {"schedule": {"type": "crontab", "value": "0 2 * * *"}}}"#;
    let message = Message::new(organization, project, "2024-09-02T02:11:30Z".parse()?, payload.to_vec());
    let engine = Engine::new(MemoryStore::new(), Policy::default());
    (engine, message, monitor, environment)
}
