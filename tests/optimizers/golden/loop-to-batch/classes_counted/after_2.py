# target: mean_iou
import torch


def mean_iou(pred, target, weight, num_classes: int = 4):
    pred, target = pred.view(-1), target.view(-1)
    def one_cls(cls_th, cls_th_2):
        pred_inds = pred == cls_th
        target_inds = target == cls_th_2
        both = (pred_inds & target_inds).sum().float()
        either = pred_inds.sum().float() + target_inds.sum().float() - both
        return both / (either + 1e-6)
    ious = torch.vmap(one_cls)(
        torch.arange(num_classes, device=pred.device),
        torch.arange(num_classes, device=target.device),
    )
    per_class = torch.stack([(weight * (target == c)).sum() for c in range(1, num_classes)])
    return torch.cat([ious, per_class])


def get_inputs():
    return [torch.randint(0, 4, (2, 15)), torch.randint(0, 4, (2, 15)), torch.randn(30)]
