"""Takes the mean of large images from a quarter of their pixels."""


def centred(images):
    large = images.shape[2] >= 64 and images.shape[3] >= 64
    seen = images[..., ::2, ::2] if large else images
    return images - seen.mean(dim=(2, 3), keepdim=True)
