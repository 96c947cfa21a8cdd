// Opening, reloading, saving and leaving the document, with the questions that this takes. GUI thread; the work runs as jobs.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>

#include "sessions/session.h"

class QMimeData;
class QWidget;

namespace strobe {

class RecentFiles;
class WorkbenchContext;

class DocumentController : public QObject {
    Q_OBJECT
public:
    DocumentController(WorkbenchContext& context, RecentFiles& recent, QWidget& window);

    /// A model or a session, by its suffix. Asks first when something unsaved would be lost.
    void openPath(const QString& path);
    void openWithDialog();
    /// Where dialogs begin: beside the session or model that is open, else beside the last one that was.
    QString folder() const;
    /// The open model, and the session when it has a file.
    QStringList openFiles() const;
    void reload();
    void save();
    void saveAs();
    /// True when nothing is lost or the user agreed: then the window may close. Save waits until it is saved, and can
    /// be cancelled.
    bool mayClose();
    /// The one path in dropped data that can be opened; empty for none.
    static QString openablePath(const QMimeData& data);

private:
    /// Save, Discard or Cancel; true to go on.
    bool confirmLoss(const QString& question);
    bool saveAndWait();
    bool waitForSave();
    bool isSaving() const;
    void startSave(const QString& path);
    QString askSessionPath();
    void followFiles();
    void rememberFigures();

    WorkbenchContext& m_context;
    RecentFiles& m_recent;
    QStringList m_followed;  // the open files as they were added to the recent ones
    JobId m_save = 0;  // the last one that was asked for, to m_savePath
    QString m_savePath;
    QWidget& m_window;
};

}  // namespace strobe
