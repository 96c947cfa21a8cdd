#include "views/widgets/breakable_text.h"

#include <QRegularExpression>

namespace strobe {
namespace {

constexpr QChar kBreak(0x200b);

}  // namespace

QString breakable(QString text) {
    // A point inside a number divides nothing.
    static const QRegularExpression sign(QStringLiteral("([/_,(*+\\x{00d7}]|(?<=[A-Za-z])\\.)"));
    return text.replace(sign, QStringLiteral("\\1") + kBreak);
}

QString unbroken(QString text) {
    return text.remove(kBreak);
}

}  // namespace strobe
