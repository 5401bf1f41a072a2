"""What a command refuses, in both languages."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError


class RealDataPresent(ShouwangError):
    """A replay was asked for on a database that is in use."""

    zh = "数据库 {database} 中已有 {count} 条业务记录，不是演示数据；回放只能写入空库或演示库，请换一个 --keep 文件夹或 --database。"
    en = "The database {database} holds {count} events that are no demo; a replay goes into an empty or a demo database: choose another --keep folder or --database."


class SomebodyThere(ShouwangError):
    """A first run was asked for where somebody can come in already."""

    zh = "这个数据库已有账号或接入凭据，不再有首次设置；请登录，或请管理员开通账号。"
    en = "This database has an account or a credential already, so there is no first run; sign in, or ask the administrator for an account."


class MetersUnreadable(ShouwangError):
    """A file of meters is not in the format a replay plays."""

    zh = "文件 {name} 无法回放：{found}；应为 Parquet，含列 meter_id、ts（带时区）、register_l 或 litres。"
    en = "The file {name} cannot be played: {found}; it must be Parquet with the columns meter_id, ts (with zone) and register_l or litres."


class ReplayBroken(ShouwangError):
    """Readings of a replay were not taken."""

    zh = "回放中断：读数被拒收（{status}）：{detail}；请运行 shouwang doctor 检查。"
    en = "The replay stopped: readings were refused ({status}): {detail}; run shouwang doctor."


class PartEnded(ShouwangError):
    """One of the processes of an installation has ended by itself."""

    zh = "进程 {part} 已退出（返回码 {code}），其余进程已停止；请查看上面的日志后重新启动，或由系统服务自动重启。"
    en = "The process {part} has ended with code {code} and the others were stopped; see its log above and start again, or let a service do so."


class BackupExists(ShouwangError):
    """A backup would overwrite a file."""

    zh = "文件 {name} 已存在，备份不覆盖文件；请换一个文件名。"
    en = "The file {name} exists and a backup overwrites nothing; choose another name."


class BackupUnreadable(ShouwangError):
    """A file is no backup, or it was changed."""

    zh = "文件 {name} 不能用于恢复：{found}；应为 {expected}。"
    en = "The file {name} cannot be restored: {found}; expected {expected}."


class TargetInUse(ShouwangError):
    """A restore would overwrite data."""

    zh = "目标数据库不是空的（{table} 有 {rows} 行）；请先准备一个空数据库，再恢复。"
    en = "The target database is not empty ({table} has {rows} rows); prepare an empty one, then restore."


class RestoreDiffers(ShouwangError):
    """What was restored is not what the backup says it holds; nothing was kept."""

    zh = "恢复后 {table} 有 {found} 行，备份中为 {expected} 行；未写入任何数据，请换一份备份。"
    en = "{table} has {found} rows after the restore, the backup says {expected}; nothing was kept, use another backup."


class OtherVersion(ShouwangError):
    """A backup was made by another version of the tables."""

    zh = "备份的表结构版本与本程序不同：{found}；请用做备份的那一版恢复，再升级。"
    en = "The backup was made by another version of the tables: {found}; restore with the version that made it, then upgrade."


class TokenUnreadable(ShouwangError):
    """The file of a device's token holds none."""

    zh = "令牌文件 {path} 无法使用：{found}；请把服务器签发的设备令牌单独写入该文件。"
    en = "The token file {path} cannot be used: {found}; put the token that the server issued for this camera into it, alone."
