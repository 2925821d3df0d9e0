# target: mean_iou
import torch


def mean_iou(pred, target, weight, num_classes: int = 4):
    pred, target = pred.view(-1), target.view(-1)
    ious = []
    for cls in range(num_classes):
        pred_inds = pred == cls
        target_inds = target == cls
        both = (pred_inds & target_inds).sum().float()
        either = pred_inds.sum().float() + target_inds.sum().float() - both
        ious.append(both / (either + 1e-6))
    per_class = torch.vmap(lambda c_th: (weight * (target == c_th)).sum())(torch.arange(1, num_classes, device=target.device))
    return torch.cat([torch.stack(ious), per_class])


def get_inputs():
    return [torch.randint(0, 4, (2, 15)), torch.randint(0, 4, (2, 15)), torch.randn(30)]
