#include "views/widgets/file_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QItemSelectionModel>
#include <QListView>
#include <QMessageBox>
#include <QRegularExpression>

namespace strobe {
namespace {

/// While a path is typed, the dialog selects what its beginnings name: also the folder in view, which it then does not
/// let go of and takes for the answer.
void keepFolderUnselected(QFileDialog& dialog) {
    auto* list = dialog.findChild<QListView*>(QStringLiteral("listView"));
    if (!list) return;  // the desktop's own dialog
    QObject::connect(list->selectionModel(), &QItemSelectionModel::selectionChanged, list,
                     [list](const QItemSelection& selected) {
                         const QModelIndex folder = list->rootIndex();
                         if (!selected.contains(folder)) return;
                         list->selectionModel()->select(folder,
                                                        QItemSelectionModel::Deselect | QItemSelectionModel::Rows);
                     });
}

/// "strobe" of "Strobe sessions (*.strobe)".
QString suffixOf(const QString& filter) {
    static const QRegularExpression pattern(QStringLiteral("\\*\\.(\\w+)"));
    return pattern.match(filter).captured(1);
}

QString ask(QFileDialog& dialog) {
    keepFolderUnselected(dialog);
    return dialog.exec() == QDialog::Accepted ? dialog.selectedFiles().value(0) : QString();
}

}  // namespace

bool mayReplace(QWidget* parent, const QString& path) {
    if (!QFileInfo::exists(path)) return true;
    const QString text = QObject::tr("%1 already exists.\nDo you want to replace it?").arg(QFileInfo(path).fileName());
    return QMessageBox::question(parent, QObject::tr("Replace the file?"), text) == QMessageBox::Yes;
}

QString askOpenPath(QWidget* parent, const QString& title, const QString& folder, const QString& filter) {
    const QFileInfo start(folder);
    QFileDialog dialog(parent, title, start.isDir() ? folder : start.path(), filter);
    dialog.setFileMode(QFileDialog::ExistingFile);
    return ask(dialog);
}

QString askSavePath(QWidget* parent, const QString& title, const QString& proposed, const QString& filter,
                    SuffixRule rule) {
    const QFileInfo start(proposed);
    const QString suffix = suffixOf(filter);
    QFileDialog dialog(parent, title, start.isDir() ? proposed : start.path(), filter);
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setFileMode(QFileDialog::AnyFile);
    dialog.setDefaultSuffix(suffix);  // before it looks whether the file is there
    if (!start.isDir()) dialog.selectFile(start.fileName());
    for (;;) {
        const QString path = ask(dialog);
        const bool fits = rule == SuffixRule::WhereNone || QFileInfo(path).suffix().compare(suffix, Qt::CaseInsensitive) == 0;
        if (path.isEmpty() || fits) return path;
        const QString whole = path + '.' + suffix;
        if (mayReplace(parent, whole)) return whole;
    }
}

}  // namespace strobe
