"""What the room of vision refuses, in both languages."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class VisionMissing(ShouwangError):
    """The optional extra is not installed."""

    zh = "缺少视频分析所需的 {package}；请运行 pip install 'shouwang[vision]' 后重试。"
    en = "{package} is needed to look at video and is not installed; run pip install 'shouwang[vision]' and try again."


class ZoneFileInvalid(ShouwangError):
    """A file of zones cannot be used."""

    zh = "区域文件 {name} 无法使用：{found}；应为 {expected}，格式见 docs/reference/vision.md。"
    en = "The zone file {name} cannot be used: {found}; expected {expected}, see docs/reference/vision.md."


class ModelAbsent(ShouwangError):
    """A model's file is not where it should be."""

    zh = "没有找到模型文件 {path}；请运行 shouwang models fetch，或用 --models 指明所在文件夹。"
    en = "The model file {path} was not found; run shouwang models fetch, or name its folder with --models."


class ModelWrong(ShouwangError):
    """A model's file is not the one the manifest names."""

    zh = "模型 {name} 的 SHA-256 为 {found}，清单要求 {expected}；未保存任何文件，请检查下载地址。"
    en = "The model {name} has the SHA-256 {found}, the manifest says {expected}; nothing was kept, check its address."


class ModelUnreachable(ShouwangError):
    """A model could not be fetched."""

    zh = "模型 {name} 无法从 {address} 下载：{found}；请检查网络，或在 {setting} 中设置可达的地址。"
    en = "The model {name} could not be fetched from {address}: {found}; check the network, or set an address within reach in {setting}."


class StreamBroken(ShouwangError):
    """A stream could not be opened or ended."""

    zh = "视频流 {name} 中断：{found}；将自动重连。"
    en = "The stream {name} broke: {found}; it is opened again by itself."


class TokenRefused(ShouwangError):
    """The server does not accept the camera's token."""

    zh = "服务器拒绝了凭据（{status}）：{detail}；请在服务器上重新签发设备令牌并更新令牌文件。"
    en = "The server refused the token ({status}): {detail}; issue a new one for this camera on the server and put it into the token file."
