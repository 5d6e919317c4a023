//! What the service can do: jobs a second of clients that each see their thumbnail before they send the next image.

use std::{convert::Infallible, sync::Arc, time::Duration};

use anyhow::{Result, ensure};

use crate::{client::Client, images::Images, open::Known, service::Service};

const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Jobs a second.
pub(crate) async fn capacity(
    service: &Service,
    client: &Client,
    images: &Arc<Images>,
    known: &Arc<Known>,
    clients: usize,
) -> Result<f64> {
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let (client, images, known) = (client.clone(), Arc::clone(images), Arc::clone(known));
            tokio::spawn(async move { go_on(&client, &images, &known).await })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let before = service.ended()?;
    tokio::time::sleep(MEASURED).await;
    let ended = service.ended()? - before;
    for client in clients {
        client.abort();
        if let Ok(Err(error)) = client.await {
            return Err(error.context("a client that measures the capacity was not served"));
        }
    }
    ensure!(ended > 0, "no job was done");
    Ok(ended as f64 / MEASURED.as_secs_f64())
}

/// One job after the other, each from its upload to its thumbnail.
async fn go_on(client: &Client, images: &Images, known: &Known) -> Result<Infallible> {
    loop {
        let answer = client.upload(images.next()).await?;
        let Some((id, mut status)) = answer.job() else {
            anyhow::bail!("an upload was answered {}", answer.status)
        };
        known.taken(&id);
        while status == "processing" {
            tokio::time::sleep(POLL_PAUSE).await;
            if let Some((_, now)) = client.get(&format!("/jobs/{id}")).await?.job() {
                status = now;
            }
        }
        known.done(&id);
        client.get(&format!("/thumbnails/{id}")).await?;
    }
}
