// Asking for a file, as QFileDialog's static functions do, but for what Qt gets wrong there.
#pragma once

#include <QString>

class QWidget;

namespace strobe {

/// An existing file; empty when the user gave up. `folder` may be a file in it.
QString askOpenPath(QWidget* parent, const QString& title, const QString& folder, const QString& filter);
/// When the filter's suffix is put behind a name that the user typed.
enum class SuffixRule {
    WhereNone,    // "net" becomes "net.engine", "net.bin" stays
    WhereOther,  // the file is of no use under another one: "exp.old" becomes "exp.old.strobe"
};
/// True when there is no such file or the user lets it go.
bool mayReplace(QWidget* parent, const QString& path);
/// A file to write, beginning with `proposed`; asks before one is written over.
QString askSavePath(QWidget* parent, const QString& title, const QString& proposed, const QString& filter,
                    SuffixRule rule = SuffixRule::WhereNone);

}  // namespace strobe
