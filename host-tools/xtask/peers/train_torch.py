"""PyTorch: eager, with fused Adam and denormals flushed to zero."""

import harness

options = harness.arguments()

import torch  # noqa: E402
from torch import nn  # noqa: E402

MODELS = {
    "lab01": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last),
}  # fmt: skip


def tensors(part):
    images, labels = part
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels).long()


def prepare(task):
    torch.set_num_threads(task.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(task.seed)
    model = MODELS[task.name]()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss = nn.CrossEntropyLoss()
    (x, labels), (test_x, test_labels) = tensors(task.train), tensors(task.test)

    def epoch():
        for indices in torch.randperm(len(x)).split(task.batch):
            optimizer.zero_grad(set_to_none=True)
            loss(model(x[indices]), labels[indices]).backward()
            optimizer.step()

    def test_accuracy():
        with torch.no_grad():
            return (model(test_x).argmax(1) == test_labels).float().mean().item()

    return epoch, test_accuracy


harness.run(options, f"PyTorch {torch.__version__}", prepare)
