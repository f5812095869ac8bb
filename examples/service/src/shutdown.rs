use std::{io, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal as listen},
    sync::oneshot,
};
use tracing::info;

/// How long requests that are under way are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for Ctrl-C or SIGTERM. Gives that, and who is told when it has happened.
pub(crate) fn signal()
-> io::Result<(impl Future<Output = ()> + Send + 'static, oneshot::Receiver<()>)> {
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let (tell, told) = oneshot::channel();
    let asked = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("ending; requests under way have {PATIENCE:?}");
        // Nobody listens any more if the service has ended by itself.
        tell.send(()).ok();
    };
    Ok((asked, told))
}

/// Ends when the patience does.
pub(crate) async fn patience(asked_to_end: oneshot::Receiver<()>) {
    match asked_to_end.await {
        Ok(()) => tokio::time::sleep(PATIENCE).await,
        Err(_) => std::future::pending().await,
    }
}
