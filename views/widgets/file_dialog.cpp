#include "views/widgets/file_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QItemSelectionModel>
#include <QListView>

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

QString ask(QFileDialog& dialog) {
    keepFolderUnselected(dialog);
    return dialog.exec() == QDialog::Accepted ? dialog.selectedFiles().value(0) : QString();
}

}  // namespace

QString askOpenPath(QWidget* parent, const QString& title, const QString& folder, const QString& filter) {
    const QFileInfo start(folder);
    QFileDialog dialog(parent, title, start.isDir() ? folder : start.path(), filter);
    dialog.setFileMode(QFileDialog::ExistingFile);
    return ask(dialog);
}

QString askSavePath(QWidget* parent, const QString& title, const QString& proposed, const QString& filter) {
    const QFileInfo start(proposed);
    QFileDialog dialog(parent, title, start.isDir() ? proposed : start.path(), filter);
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setFileMode(QFileDialog::AnyFile);
    if (!start.isDir()) dialog.selectFile(start.fileName());
    return ask(dialog);
}

}  // namespace strobe
