"""Reason codes in plain words: those that any channel may give; a channel's own stand in its manifest. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.kernel.texts import Text

WORDS: Mapping[str, Text] = {
    "ADDRESS_PRIVATE": Text("该地址在内网，未经维护人员允许不能访问", "The address is private and not allowed by whoever maintains the system"),
    "ANSWER_UNREADABLE": Text("对方的应答无法识别", "The answer could not be understood"),
    "CHANNEL_BROKEN": Text("渠道程序出错，故障已记录", "The channel itself failed; the fault was recorded"),
    "CHANNEL_OFF": Text("渠道未开启", "The channel is switched off"),
    "CODEC_UNKNOWN": Text("设备的对讲编码不是 G.711，请在设备上改为 G.711", "The device's two-way audio is not G.711; set it to G.711 on the device"),
    "HOST_UNKNOWN": Text("找不到该服务器，请核对地址和本机网络", "The server was not found; check its address and this machine's network"),
    "HTTP_401": Text("用户名或密码不对（401）", "The user or password is wrong (401)"),
    "HTTP_404": Text("地址不存在（404），请核对", "There is nothing at the address (404); check it"),
    "HTTP_429": Text("对方要求放慢，稍后自动再发", "The provider asks to slow down; it is tried again later"),
    "KIND_UNKNOWN": Text("没有这种喇叭的程序", "There is no program for this kind of loudspeaker"),
    "LATE": Text("轮到它时已过时限，没有播放", "Its time was over before it could begin, so it was not played"),
    "MISSING": Text("对方没有收到过这条消息", "The provider never had the message"),
    "NOT_HTTPS": Text("地址应以 https:// 开头", "The address must begin with https://"),
    "NO_ADDRESS": Text("没有可用的地址或号码", "There is no address or number"),
    "NO_CONNECTION": Text("连接不上对方服务器，稍后自动再发", "The server could not be reached; it is tried again later"),
    "NO_PROMPT": Text("找不到这句提示音的录音", "The recording of this prompt is missing"),
    "NO_QUERY": Text("该渠道无法查询", "The channel cannot be asked"),
    "NO_RECEIPT": Text("一直没有收到送达回执", "No receipt ever came"),
    "NO_ROBOT": Text("本人所在区域及其上级都没有机器人", "No area at or above the person's has a robot"),
    "NOT_SWITCHED_OFF": Text("警笛没能关掉，请到现场查看", "The siren could not be switched off; somebody must look"),
    "NO_SECRET": Text("没有设置签名密钥", "No signing secret is set"),
    "NO_SIREN": Text("设备没有警笛，或拒绝了指令", "The device has no siren, or refused the command"),
    "NO_STATUS": Text("状态查询没有应答", "The question about its status was not answered"),
    "NO_TURN": Text("该地址的发送次数已用完，请一分钟后再试", "The address takes no more for now; try again in a minute"),
    "OTHER": Text("对方拒绝，原因未说明", "The provider refused and did not say why"),
    "PLAYER_DIED": Text("播放途中程序中断，不知是否响过", "The program stopped while it played; nobody knows whether it sounded"),
    "REDIRECT": Text("地址已搬迁，请填写新地址", "The address has moved; enter the new one"),
    "REPLY_LOST": Text("已发出，但应答中断，不知对方是否收到", "It left, but the answer broke off"),
    "SENDER_DIED": Text("发送途中程序中断，不知对方是否收到", "The program stopped while sending"),
    "SPEAKER_BROKEN": Text("喇叭程序出错，故障已记录", "The loudspeaker's program failed; the fault was recorded"),
    "SPEAKER_DISABLED": Text("设备上停用了对讲通道", "The two-way audio channel is disabled on the device"),
    "SPEAKER_OFF": Text("喇叭已停用", "The loudspeaker is switched off"),
    "STATUS_UNKNOWN": Text("对方给出的状态无法识别", "The provider's status word is not known"),
    "THROTTLED": Text("对方要求放慢，稍后自动再发", "The provider asks to slow down; it is tried again later"),
    "TIMEOUT": Text("对方没有在规定时间内应答，不知是否收到", "The provider did not answer in time"),
    "URL_INVALID": Text("地址格式不对", "The address is malformed"),
}
REFUSED = Text("对方拒绝了请求（{code}）", "The provider refused the request ({code})")
FAULT = Text("对方服务器出错（{code}），不知是否收到", "The provider's server failed ({code})")


def reason_words(reason: str, own: Mapping[str, Text], *, language: str) -> str:
    """Return the words of a reason code: the channel's own, else the general ones, else what kind of code it is."""
    known = own.get(reason) or WORDS.get(reason)
    if known is not None:
        return known.render(language, {})
    return (FAULT if reason.startswith("HTTP_5") else REFUSED).render(language, {"code": reason})
