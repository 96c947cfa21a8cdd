// The window: menu, toolbar, graph in the middle, pages around it, figures at the bottom. GUI thread only; work runs in the session.
#pragma once

#include <QMainWindow>
#include <optional>
#include <set>

#include "views/models/recent_files.h"
#include "views/models/workbench_context.h"

class QStackedWidget;

namespace strobe {

class ActionList;
class Banner;
class CommandPalette;
class DocumentController;
class GraphPage;
class MainToolBar;
class PageDocks;
class SettingsPage;
class StartPage;
class StatusFigures;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    /// `session` must outlive the window.
    MainWindow(Session& session, QString samplePath);
    ~MainWindow() override;

    /// Opens a model or a session in a job.
    void openPath(const QString& path);
    WorkbenchContext& context() { return m_context; }
    ActionList& actions() const { return *m_actions; }
    PageDocks& docks() const { return *m_docks; }
    GraphPage& graphPage() const { return *m_graph; }
    StartPage& startPage() const { return *m_start; }
    QString errorShown() const;

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void buildCentre();
    void connectFileActions();
    void connectEditActions();
    void connectBuildActions();
    void connectViewActions();
    void connectHelpActions();
    void followContext();
    void updateActions();
    void updateTitle();
    void reportJobs();
    void reportJob(const JobInfo& job);
    void followUndo(const QString& label, bool undone);
    void showError(const QString& message, bool hasProblems = false, std::optional<JobKind> kind = std::nullopt);
    void fillRecentMenu();
    void showPage(const QString& page);
    void build(bool profile);
    void compareNewest();
    static bool isCancelledByEscape(const JobInfo& job);
    bool cancelWork();
    void cancelOrClear();
    void showPalette();
    void saveGraph(bool asSvg);
    void setTheme(int mode);
    void restoreLayout();
    void rememberPicture();

    WorkbenchContext m_context;
    RecentFiles m_recent;
    QString m_samplePath;
    QStringList m_pictured;  // the open files that have the picture of this layout
    ActionList* m_actions;
    DocumentController* m_documents;
    QStackedWidget* m_centre = nullptr;
    StartPage* m_start = nullptr;
    GraphPage* m_graph = nullptr;
    Banner* m_banner = nullptr;
    MainToolBar* m_toolBar = nullptr;
    StatusFigures* m_status = nullptr;
    PageDocks* m_docks = nullptr;
    CommandPalette* m_palette = nullptr;
    QList<QAction*> m_fields;             // of the settings, as the palette lists them
    std::set<JobId> m_reported;           // ended jobs that were seen to
    std::optional<JobKind> m_failedKind;  // of the job whose error the banner shows
};

}  // namespace strobe
