"""Changes brightness, contrast and saturation of each image by factors of its own; values stay between 0 and 1."""

import torch


def greys(image):
    return 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]


def colour_jitter(images, brightness, contrast, saturation):
    out = []
    for i in range(images.shape[0]):
        image = (images[i] * brightness[i]).clamp(0, 1)
        image = (contrast[i] * image + (1 - contrast[i]) * greys(image).mean()).clamp(0, 1)
        image = (saturation[i] * image + (1 - saturation[i]) * greys(image)).clamp(0, 1)
        out.append(image)
    return torch.stack(out)


def get_inputs():
    images = 0.25 + 0.4 * torch.rand(24, 3, 32, 32)
    return [images, *(0.8 + 0.4 * torch.rand(24) for _ in range(3))]
